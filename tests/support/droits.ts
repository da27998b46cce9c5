import type { Confirme } from '../../src/aidant/moyens.ts'
import { parSecours } from '../../src/aidant/moyens.ts'
import { RATES } from '../../src/http/rates.ts'
import { type DeclaredRoute, type Guard, type Rule, WRITING_GETS } from '../../src/http/rules.ts'
import { type CALLERS, DOORS } from './matrix-table.ts'

/** Where a reader looks for a route: the first of these that its path begins with. */
const DOMAINES: [titre: string, chemins: RegExp][] = [
  ['Entrer et sortir', /^\/(connexion|deconnexion|invitation|mon-espace\/(connexion|deconnexion|code|reunir)$)/],
  ['La personne : son espace', /^\/mon-espace/],
  ['L’aidant : son compte', /^\/(mes-|structures$|conditions-d-utilisation$)/],
  ['Les personnes et leurs démarches', /^\/(personnes|demarches|mandats\/:mandatId\/demarches)/],
  ['Un mandat qui se prépare', /^\/(mandats\/(brouillons|nouveau|expliquer|rendre)|t\/|telephone\/)/],
  ['Un mandat signé', /^\/(mandats|a-remettre)/],
  ['La direction de la structure', /^\/structure\//],
  ['Vérifier un papier ou le journal', /^\/(v|verifier|v-sw\.js|sceaux|statuts|journal|\.well-known)\b/],
  ['Le service lui-même', /^\/($|accessibilite$|mentions-legales$|assets\/|livez$|readyz$)/],
]

type Role = (typeof CALLERS)[keyof typeof CALLERS]
const ROLE = {
  anonyme: 'Qui n’est pas connecté',
  usager_par_code: 'La personne, par le code de son papier',
  usager_prouve: 'La personne, par son papier et un code envoyé à son contact',
  usager: 'La personne, identifiée par FranceConnect',
  aidant: 'Un aidant de la structure',
  referent: 'Un référent, qui dirige la structure',
  suspendue: 'Un aidant suspendu',
  sans_structure: 'Un aidant sans structure, ou qui n’en a pas choisi',
  sans_cgu: 'Un aidant qui n’a pas accepté les conditions d’utilisation',
} as const satisfies Record<Role, string>

const REGLE = {
  public: 'tout le monde',
  usager_par_code: 'la personne, même par son papier seul',
  usager_prouve: 'la personne, ou son papier et un code',
  usager: 'la personne, par FranceConnect',
  aidant: 'aidant ou référent',
  referent: 'référent',
} as const satisfies Record<Rule, string>
const RULES = Object.keys(REGLE) as Rule[]

const OBJET = {
  ajouter: 'ajouter un moyen de connexion',
  retirer: 'en retirer un',
  codes: 'créer des codes de secours',
  reinitialiser: 'réinitialiser ceux d’un autre',
  ouvrir: 'ouvrir un dossier, s’il n’en a pas été donné un depuis cinq minutes',
  exporter: 'emporter le journal',
  signer: 'signer',
  contact: 'changer un contact',
} as const satisfies Record<Confirme, string>

const DUREES: [seconds: number, un: string, plusieurs: string][] = [
  [24 * 60 * 60, 'par jour', 'jours'],
  [60 * 60, 'par heure', 'heures'],
  [60, 'par minute', 'minutes'],
]
function cadence({ count, seconds }: { count: number; seconds: number }): string {
  const [unit, un, plusieurs] = DUREES.find(([one]) => seconds % one === 0)!
  return seconds === unit ? `${count} ${un}` : `${count} en ${seconds / unit} ${plusieurs}`
}

const gardeDe = (guard: Guard): string =>
  'limite' in guard
    ? `limite : ${cadence(RATES[guard.limite])} (\`${guard.limite}\`)`
    : 'facteur' in guard
      ? `**facteur** pour ${OBJET[guard.facteur]}${parSecours(guard.facteur) ? ' (un code de secours suffit)' : ''}`
      : '**dossier**'

const rows = (...lines: readonly (readonly string[])[]) => lines.map((cells) => `| ${cells.join(' | ')} |`)
const title = (...cells: string[]) =>
  rows(
    cells,
    cells.map(() => '---'),
  )

/** docs/droits.md, from what the router declares of each route; throws when one has no place in it. */
export function droitsPage(routes: readonly DeclaredRoute[]): string {
  const known = routes.map((route) => {
    const domaine = DOMAINES.find(([, chemins]) => chemins.test(route.path))?.[0]
    if (!domaine || !route.rule) throw new Error(`${route.method} ${route.path} has no place in docs/droits.md`)
    return { ...route, rule: route.rule, domaine }
  })
  const porte = (rule: Rule, role: Role) => {
    const door = DOORS[rule][role]
    return door === 'entre' ? 'oui' : door === 'introuvable' ? 'introuvable' : `vers \`${door}\``
  }
  const table = (domaine: string) =>
    known
      .filter((route) => route.domaine === domaine)
      .sort((a, b) => (a.path === b.path ? a.method.localeCompare(b.method) : a.path < b.path ? -1 : 1))
      .map(({ method, path, rule, guards }) => {
        const written = method === 'GET' && WRITING_GETS.includes(path) ? ['écrit, au retour du fournisseur'] : []
        return [method, `\`${path.replaceAll(/\{[^/]*\}/g, '')}\``, REGLE[rule], [...written, ...guards.map(gardeDe)].join(' ; ')]
      })

  return `${[
    '# Qui peut faire quoi',
    '',
    'Page écrite par `npm run generate` depuis le routeur ; ne pas la modifier à la main. `npm run check` la compare. Le service ne démarre pas avec une',
    `adresse sans règle. Il en a ${known.length}. Celles de la démonstration (\`/demo\`) n’existent pas en production.`,
    '',
    '## Qui entre où',
    '',
    'Chaque adresse a une règle ; la voici pour chacun. « Introuvable » est la réponse de ce qui n’existe pas ; « vers » mène d’abord à cette page.',
    '',
    ...title('', ...RULES.map((rule) => REGLE[rule])),
    ...rows(...(Object.keys(ROLE) as Role[]).map((role) => [ROLE[role], ...RULES.map((rule) => porte(rule, role))])),
    '',
    'Le rôle ne suffit jamais : la base ne montre à un aidant ou à un référent que ce qui est à sa structure, à une personne que ce qui est à elle',
    '([sql/schema.md](../sql/schema.md)). Ce qui est à une autre est introuvable. Une adresse `GET` se lit ; seul un `POST` change quelque chose, et il est refusé',
    'quand il vient d’un autre site. Lire un dossier laisse une trace, que la personne voit.',
    '',
    '## Ce qui garde en plus',
    '',
    '- **dossier** : ce qui s’y lit est le dossier d’une personne. Un référent qui ne l’accompagne pas n’y lit rien, ou seulement après l’avoir ouvert avec une',
    '  raison, que la personne lit. Enregistrer un arrêt ou une pause qu’elle demande n’attend pas.',
    '- **facteur** : l’aidant ou le référent confirme par un second facteur frais (application, clé d’accès, ou ProConnect à nouveau).',
    '- **limite** : au-delà, il faut attendre. Sont dites ici les limites d’une adresse entière ; celles d’un code, d’un numéro ou d’un compte sont dans',
    '  [src/http/rates.ts](../src/http/rates.ts).',
    '',
    'Les essais qui tiennent cette page : `rules.test.ts` et `isolation.test.ts` (chaque adresse, demandée par chacun, avec ce qui est à elle et ce qui ne l’est',
    'pas), `limites.test.ts` (chaque adresse a une limite ou une raison de ne pas en avoir).',
    ...DOMAINES.flatMap(([domaine]) => [
      '',
      `## ${domaine}`,
      '',
      ...title('', 'Adresse', 'Qui', 'Gardée aussi par'),
      ...rows(...table(domaine)),
    ]),
  ].join('\n')}\n`
}
