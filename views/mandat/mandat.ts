import { seTermineBientot } from '../../src/mandat/mandat.ts'
import type { listAutorisations, MandatContenu, MandatEtat } from '../../src/mandat/queries.ts'
import { blocs } from '../../src/mandat/texte.ts'
import type { UsagerRow } from '../../src/usager/queries.ts'
import { etat } from '../kit/alert.ts'
import { back, more } from '../kit/card.ts'
import { buttonLink } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { legal } from '../kit/legal.ts'
import { type Frame, page } from '../kit/page.ts'
import { facts, table } from '../kit/table.ts'
import { auSoir, DUREE, de, FIN, jourEtHeure, nomComplet, THEMATIQUE, temps } from '../kit/words.ts'

type Props = {
  frame: Frame
  mandat: MandatEtat
  usager: UsagerRow
  autorisations: Awaited<ReturnType<typeof listAutorisations>>
  /** Undefined when she may not read it any more. */
  contenu: MandatContenu | undefined
  now: Date
}

/** A mandat as signed, for the aidants of its structure. */
export const mandatPage = ({ frame, mandat, usager, autorisations, contenu, now }: Props) => {
  const { fuseau } = mandat
  return page(
    // The tab's title stays in the browser's history: it names nobody.
    {
      ...frame,
      heading: `Mandat ${de(nomComplet(contenu?.identite ?? usager))}`,
      above: back(nomComplet(usager), `/personnes/${usager.id}`),
    },
    'Mandat',
    html`<p>${etat(mandat.etat)}${mandat.endedAt && mandat.endedHow && html` ${FIN[mandat.endedHow]}, le ${temps(mandat.endedAt, jourEtHeure(mandat.endedAt, fuseau))}`}
    ${mandat.etat === 'actif' && seTermineBientot(mandat.expiresAt, now) && html` <strong>Se termine bientôt</strong>`}</p>
    ${facts([
      { term: 'Structure', value: contenu ? `${contenu.structure.nom}, SIRET ${contenu.structure.siret}` : mandat.structureNom },
      { term: 'Signé le', value: jourEtHeure(mandat.signedAt, fuseau) },
      { term: 'Accepté par', value: contenu && `${contenu.aidant.prenom} ${contenu.aidant.nom}` },
      { term: 'Durée', value: DUREE[mandat.duree] },
      { term: 'Jusqu’au', value: auSoir(mandat.expiresAt, fuseau) },
      { term: 'Numéro', value: mandat.id },
    ])}
    ${table({
      caption: 'Thématiques',
      columns: [
        { head: 'Thématique', cell: ({ thematique }) => THEMATIQUE[thematique].titre },
        {
          head: 'État',
          cell: ({ thematique, revokedAt, revokedHow }) =>
            revokedAt && revokedHow
              ? html`Arrêtée ${FIN[revokedHow]}, le ${jourEtHeure(revokedAt, fuseau)}`
              : mandat.enVigueur.includes(thematique)
                ? 'En cours'
                : mandat.etat === 'suspendu'
                  ? 'En pause'
                  : 'Arrivée à sa fin',
        },
      ],
      rows: autorisations,
      empty: '',
    })}
    ${mandat.etat === 'actif' && buttonLink('Noter une démarche', `/mandats/${mandat.id}/demarches/nouvelle`)}
    ${
      contenu
        ? more('Le texte accepté, mot pour mot', legal(blocs(contenu.texte), 2))
        : html`<p>Aucun mandat de la personne n’est en cours : le texte accepté n’est plus visible que d’elle et de l’aidant qui a signé.</p>`
    }`,
  )
}
