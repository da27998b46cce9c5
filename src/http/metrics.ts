import { Hono } from 'hono'
import type { Log, LogLine } from './log.ts'

/** Upper bounds in seconds. */
const BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 3.5, 10]

type Metrics = {
  /** A log that also counts what it is told. */
  counting(log: Log): Log
  /** Numbers read when they are asked for, by name. While they cannot be read they are absent, and the rest is told. */
  gauges(read: () => Promise<Readonly<Record<string, number>>>): void
  /** `GET /metrics`, in Prometheus' text format: to be served on a private port only. */
  app: Hono
}

export function openMetrics(): Metrics {
  const requests = new Map<string, number>()
  const events = new Map<string, number>()
  const times = new Map<string, { buckets: number[]; sum: number; count: number }>()
  const add = (counters: Map<string, number>, labels: string) => counters.set(labels, (counters.get(labels) ?? 0) + 1)

  const observe = ({ event, method = '-', route: pattern = '-', status = 0, ms = 0 }: LogLine) => {
    const route = pattern.replace(/["\\\n]/g, '?')
    if (event !== 'requete') return add(events, `event="${event}"`)
    add(requests, `method="${['GET', 'HEAD', 'POST'].includes(method) ? method : 'autre'}",route="${route}",status="${status}"`)
    const time = times.get(route) ?? { buckets: BUCKETS.map(() => 0), sum: 0, count: 0 }
    for (const [i, bound] of BUCKETS.entries()) if (ms / 1000 <= bound) time.buckets[i]!++
    time.sum += ms / 1000
    time.count++
    return times.set(route, time)
  }

  const readers: (() => Promise<Readonly<Record<string, number>>>)[] = []
  const gauges = async () => {
    const read = await Promise.allSettled(readers.map((reader) => reader()))
    return read.flatMap((one) => (one.status === 'fulfilled' ? Object.entries(one.value) : []))
  }

  const text = (gauged: readonly [string, number][]) =>
    [
      '# TYPE http_requests_total counter',
      ...[...requests].map(([labels, count]) => `http_requests_total{${labels}} ${count}`),
      '# TYPE http_request_duration_seconds histogram',
      ...[...times].flatMap(([route, { buckets, sum, count }]) => [
        ...BUCKETS.map((bound, i) => `http_request_duration_seconds_bucket{route="${route}",le="${bound}"} ${buckets[i]}`),
        `http_request_duration_seconds_bucket{route="${route}",le="+Inf"} ${count}`,
        `http_request_duration_seconds_sum{route="${route}"} ${sum}`,
        `http_request_duration_seconds_count{route="${route}"} ${count}`,
      ]),
      '# TYPE log_events_total counter',
      ...[...events].map(([labels, count]) => `log_events_total{${labels}} ${count}`),
      ...gauged.flatMap(([name, value]) => [`# TYPE ${name} gauge`, `${name} ${value}`]),
      '# TYPE process_resident_memory_bytes gauge',
      `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
      '# TYPE process_uptime_seconds gauge',
      `process_uptime_seconds ${process.uptime()}`,
      '',
    ].join('\n')

  return {
    counting: (log) => (level, line) => {
      observe(line)
      log(level, line)
    },
    gauges: (read) => void readers.push(read),
    app: new Hono().get('/metrics', async (c) =>
      c.body(text(await gauges()), 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }),
    ),
  }
}
