/** The simulator's own look: nothing of the State's logo, colours or fonts. Text contrast is at least 7:1, in light and in dark. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --fond: #f7f4ee; --carte: #ffffff; --encre: #1f1b2d; --doux: #443f55; --trait: #6b6480;
  --accent: #5b2a6e; --sur-accent: #ffffff; --bandeau: #ffd54a; --sur-bandeau: #241c00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --fond: #17141f; --carte: #221d2e; --encre: #f3effa; --doux: #d3cbe2; --trait: #9c93b3;
    --accent: #e3c4f2; --sur-accent: #221029; --bandeau: #ffd54a; --sur-bandeau: #241c00;
  }
}
* { box-sizing: border-box; }
html { font: 1.125rem/1.5 system-ui, sans-serif; scroll-padding-top: 4rem; }
body { margin: 0; background: var(--fond); color: var(--encre); overflow-wrap: anywhere; }
.bandeau { position: sticky; top: 0; background: var(--bandeau); color: var(--sur-bandeau); border-bottom: 2px solid var(--sur-bandeau); }
.bandeau p { margin: 0; padding: 0.5rem; font-size: 0.875rem; font-weight: 700; text-align: center; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem 1rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 1rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 0.75rem; }
.comptes { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.75rem; }
.comptes a { display: inline-block; padding: 0.5rem 1rem; min-height: 2.75rem; border: 1px solid var(--trait); border-radius: 0.5rem; color: var(--encre); }
.comptes a[aria-current] { border-color: var(--accent); background: var(--accent); color: var(--sur-accent); font-weight: 700; }
.personnes { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.75rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); }
button { font: inherit; color: inherit; cursor: pointer; min-height: 2.75rem; border-radius: 0.5rem; text-align: left; }
.personne { display: flex; flex-direction: column; align-items: flex-start; justify-content: flex-start; width: 100%; height: 100%; padding: 0.75rem 1rem; background: var(--carte); border: 1px solid var(--trait); }
.personne span { color: var(--doux); }
.personne:hover { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
.discret { padding: 0.5rem 1rem; background: none; border: 1px solid var(--trait); }
.principal { padding: 0.75rem 1.5rem; background: var(--accent); color: var(--sur-accent); border: 1px solid var(--accent); font-weight: 700; }
.gestes { display: flex; flex-wrap: wrap; gap: 1rem; }
.alerte { padding: 0.75rem 1rem; border-left: 0.375rem solid var(--accent); background: var(--carte); }
dl { margin: 1.5rem 0; padding: 0.5rem 1rem; background: var(--carte); border: 1px solid var(--trait); border-radius: 0.5rem; }
dl div { padding: 0.5rem 0; }
dl div + div { border-top: 1px solid var(--trait); }
dt { color: var(--doux); }
dd { margin: 0; font-weight: 700; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
@media (min-width: 40rem) { dl div { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; } }
`

export const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#ffd54a"/>' +
  '<path d="M4 12 8 4l4 8M5.5 9h5" fill="none" stroke="#241c00" stroke-width="1.6"/></svg>'
