/** How long a session stays open without any request, and in all. */
export const IDLE_MINUTES = 30
export const ABSOLUTE_HOURS = 10
