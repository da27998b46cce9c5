import { refusalOfRenewal } from '../../src/mandat/fin.ts'
import type { ArretRecu, EnPause } from '../../src/mandat/fin-queries.ts'
import { isInForce, seTermineBientot } from '../../src/mandat/mandat.ts'
import type { listAutorisations, MandatContenu, MandatEtat } from '../../src/mandat/queries.ts'
import { blocs } from '../../src/mandat/texte.ts'
import type { UsagerRow } from '../../src/usager/queries.ts'
import { etat, success } from '../kit/alert.ts'
import { back, more } from '../kit/card.ts'
import { buttonLink, buttons } from '../kit/form.ts'
import { html } from '../kit/html.ts'
import { legal } from '../kit/legal.ts'
import { type Frame, page } from '../kit/page.ts'
import { papiersDeLAidant } from '../kit/papiers.ts'
import { facts, table } from '../kit/table.ts'
import { auSoir, DUREE, de, FIN, finLe, jourEtHeure, MANIERE, nomComplet, THEMATIQUE } from '../kit/words.ts'
import { PREVENUE, REPRENDRE, recent } from './fin.ts'

type Props = {
  frame: Frame
  mandat: MandatEtat
  usager: UsagerRow
  autorisations: Awaited<ReturnType<typeof listAutorisations>>
  /** The requests to stop that an aidant recorded. */
  recus: readonly ArretRecu[]
  pauses: readonly EnPause[]
  /** Undefined when she may not read it any more. */
  contenu: MandatContenu | undefined
  /** The colleague who accepted it, while she is there to be asked. */
  signataire: { prenom: string; nom: string } | undefined
  /** Read by the direction, with a reason. */
  direction: boolean
  /** She comes from signing it. */
  signe: boolean
  /** From recording a pause. */
  fait: boolean
  now: Date
}

/** A mandat as signed, for the aidants of its structure. */
export const mandatPage = ({
  frame,
  mandat,
  usager,
  autorisations,
  recus,
  pauses,
  contenu,
  signataire,
  direction,
  signe,
  fait,
  now,
}: Props) => {
  const { fuseau } = mandat
  const accepte = contenu?.aidant ?? signataire
  const renouvelable = !refusalOfRenewal(mandat, autorisations, [], undefined, now)
  const inForce = isInForce(mandat)
  const justSigned = signe && mandat.etat === 'actif' && recent(mandat.signedAt, now)
  const justPaused = fait && pauses.some(({ fromAt }) => recent(fromAt, now))
  return page(
    // The tab's title stays in the browser's history: it names nobody.
    {
      ...frame,
      heading: `Mandat ${de(nomComplet(contenu?.identite ?? usager))}`,
      above: back(nomComplet(usager), `/personnes/${usager.id}`),
    },
    'Mandat',
    html`${
      justSigned &&
      success(
        'Mandat signé',
        'Imprimez plus bas ses papiers et remettez-les à la personne. Vous pouvez agir, et noter ici chaque démarche ; elle peut tout arrêter quand elle veut.',
      )
    }
    ${justPaused && success('Pause enregistrée', `${PREVENUE} ${REPRENDRE}`)}
    <p>${etat(mandat.etat)}${mandat.endedAt && mandat.endedHow && ` ${FIN[mandat.endedHow]}${finLe(mandat.endedAt, mandat.recuLe, fuseau)}`}
    ${mandat.etat === 'actif' && seTermineBientot(mandat, now) && html` <strong>Se termine bientôt</strong>`}</p>
    ${(inForce || renouvelable) && buttons([mandat.etat === 'actif' && buttonLink('Noter une démarche', `/mandats/${mandat.id}/demarches/nouvelle`), renouvelable && (seTermineBientot(mandat, now) || !recent(mandat.signedAt, now)) && buttonLink('Renouveler', `/mandats/${mandat.id}/renouveler`, { kind: 'secondary' }), inForce && buttonLink('Enregistrer une demande d’arrêt', `/mandats/${mandat.id}/arreter`, { kind: 'secondary' }), inForce && buttonLink('Enregistrer une demande de pause', `/mandats/${mandat.id}/pause`, { kind: 'secondary' })])}
    ${mandat.etat === 'suspendu' && html`<p>La personne a mis ce mandat en pause : on ne peut pas agir tant que dure cette pause.</p>`}
    ${mandat.etat === 'termine' && html`<p><a href="/mandats/${mandat.id}/arret">Ce qui reste à faire après la fin</a></p>`}
    ${!inForce && html`<p><a href="/mandats/${mandat.id}/arreter">Noter une demande d’arrêt arrivée avant la fin</a></p>`}
    ${facts([
      { term: 'Structure', value: contenu ? `${contenu.structure.nom}, SIRET ${contenu.structure.siret}` : mandat.structureNom },
      { term: 'Signé le', value: jourEtHeure(mandat.signedAt, fuseau) },
      { term: 'Accepté par', value: accepte && `${accepte.prenom} ${accepte.nom}` },
      { term: 'Durée', value: DUREE[mandat.duree] },
      { term: 'Jusqu’au', value: auSoir(mandat.expiresAt, fuseau) },
      { term: 'Numéro', value: mandat.id },
    ])}
    ${table({
      caption: 'Thématiques (« thèmes », sur les papiers et pour la personne)',
      columns: [
        { head: 'Thématique', cell: ({ thematique }) => THEMATIQUE[thematique].titre },
        {
          head: 'État',
          cell: ({ thematique, revokedAt, revokedHow }) =>
            revokedAt && revokedHow
              ? `Arrêtée ${FIN[revokedHow]}${finLe(revokedAt, recus.find((recu) => recu.thematique === thematique)?.recuLe, fuseau)}`
              : mandat.enVigueur.includes(thematique)
                ? 'En cours'
                : mandat.enPause.includes(thematique)
                  ? enPause(
                      pauses.find((one) => one.thematique === thematique),
                      fuseau,
                    )
                  : 'Arrivée à sa fin',
        },
      ],
      rows: autorisations,
      empty: '',
    })}
    ${
      inForce &&
      more(
        'Mettre fin sans demande de la personne',
        html`<ul>
      <li><a href="/mandats/${mandat.id}/renoncer">Renoncer au mandat</a></li>
      <li><a href="/mandats/${mandat.id}/protection">La personne a une mesure de protection</a></li>
      <li><a href="/mandats/${mandat.id}/deces">La personne est décédée</a></li>
    </ul>`,
      )
    }
    ${
      contenu &&
      papiersDeLAidant({
        here: `/mandats/${mandat.id}`,
        actives: autorisations.filter(({ thematique }) => mandat.enVigueur.includes(thematique)),
        enCours: inForce,
        direction,
        arrete: autorisations.some(({ revokedHow }) => revokedHow !== null && revokedHow !== 'remplace'),
      })
    }
    ${
      contenu
        ? more('Le texte accepté, mot pour mot', legal(blocs(contenu.texte), 2))
        : html`<p>Aucun mandat de la personne n’est en cours : seuls elle, l’aidant qui a signé, et un référent en disant pourquoi, lisent encore le texte accepté et impriment ses papiers. Demandez-les à <strong>${signataire ? `${signataire.prenom} ${signataire.nom}` : 'votre référent'}</strong>.</p>`
    }`,
  )
}

/** « En pause depuis le 3 mars 2027 à 14 h 05, demandée par téléphone, enregistrée par Thomas Petit ». */
const enPause = (pause: EnPause | undefined, fuseau: string) =>
  pause
    ? `En pause depuis le ${jourEtHeure(pause.fromAt, fuseau)}${pause.maniere ? `, demandée ${MANIERE[pause.maniere]}, enregistrée par ${pause.aidantPrenom} ${pause.aidantNom}` : ''}`
    : 'En pause'
