import { z } from 'zod'
import { choix, dateFr, dateHeure, isUuid, texte } from '../form.ts'
import { THEMATIQUES } from '../mandat/mandat.ts'
import { MANIERES_DE_LE_DIRE, MOTIFS_CONTESTATION, REPONSES } from './contestation.ts'
import {
  CANAUX,
  CATALOGUE,
  DUREES_MINUTES,
  type DureeMinutes,
  demarcheDuCatalogue,
  ETAPES_QUI,
  type Faits,
  MODES,
  MOTIFS_BLOCAGE,
  NATURES,
  type NewDemarche,
  PRESENCES,
  RESULTATS,
} from './demarche.ts'

/** The value of the last tile: a démarche that the aidant names herself. */
export const AUTRE = 'autre'

/** What is recorded when nobody says otherwise; shown where it may be changed. */
export const PAR_DEFAUT = {
  nature: 'demande',
  mode: 'avec_la_personne',
  presence: 'presente',
  canal: 'en_ligne_franceconnect',
} as const satisfies Partial<NewDemarche>

const MONTANT = 'Écrivez le montant en euros, par exemple 12,50.'
const MONTANT_MAX = 1_000_000

/** Euros as they are typed (« 1 250,50 € »), to cents. */
const montant = texte(20).transform((text, context) => {
  if (text === null) return null
  const [, euros, cents = ''] = /^(\d{1,9})(?:[,.](\d{1,2}))?€?$/.exec(text.replace(/\s/g, '')) ?? []
  const centimes = Number(euros) * 100 + Number(cents.padEnd(2, '0'))
  if (centimes > 0 && centimes <= MONTANT_MAX * 100) return centimes
  context.addIssue({ code: 'custom', message: euros !== undefined && centimes > 0 ? 'Ce montant est trop grand.' : MONTANT })
  return z.NEVER
})

const fields = z.object({
  demarche: choix([AUTRE, ...CATALOGUE.map(({ code }) => code)]),
  titre: texte(80),
  thematique: choix(THEMATIQUES),
  resultat: choix(RESULTATS, 'Choisissez un résultat.'),
  faiteLe: dateHeure(),
  nature: choix(NATURES),
  mode: choix(MODES),
  presence: choix(PRESENCES),
  canal: choix(CANAUX),
  duree: choix(DUREES_MINUTES.map(String)),
  administration: texte(80),
  motifBlocage: choix(MOTIFS_BLOCAGE),
  reference: texte(40),
  montant,
  etapeQuoi: texte(120),
  etapeQui: choix(ETAPES_QUI),
  etapeQuand: dateFr(),
  orientation: texte(120),
  note: texte(280, { lines: true }),
  /** Of an act outside the mandat; kept when its form is sent as a démarche inside it. */
  motif: texte(280, { lines: true }),
  envoi: z
    .string('Ce formulaire était incomplet : enregistrez à nouveau.')
    .refine(isUuid, 'Ce formulaire était incomplet : enregistrez à nouveau.'),
  /** She was told that she has just noted the same one, and says that this is another. */
  encore: choix(['oui']),
})

/** What one field alone does not tell; silent about a field that is refused already. */
function entire(said: z.output<typeof fields>, context: z.core.$RefinementCtx) {
  const refused = new Set(context.issues.map(({ path }) => path?.[0]))
  const refuse = (field: keyof typeof said, message: string) => context.addIssue({ code: 'custom', path: [field], message })
  const { demarche, titre, thematique } = said
  if (!refused.has('demarche') && !refused.has('titre')) {
    if (demarche && demarche !== AUTRE && titre)
      refuse(
        'titre',
        'Vous avez choisi une démarche et vous en avez écrit une autre : choisissez « Autre démarche », ou effacez ce titre.',
      )
    if (!demarche && !titre) refuse('demarche', 'Choisissez une démarche.')
    if (demarche === AUTRE && !titre) refuse('titre', 'Écrivez quelle démarche a été faite.')
    if ((demarche === AUTRE || !demarche) && titre && !thematique) refuse('thematique', 'Choisissez sa thématique.')
  }
  etapeEntiere(said, context)
}
/** Who, or when, is said of a step; and when her turn has come, she must read what to do. */
function etapeEntiere(
  {
    resultat,
    etapeQuoi,
    etapeQui,
    etapeQuand,
  }: Pick<z.output<typeof fields>, 'resultat' | 'etapeQuoi' | 'etapeQui' | 'etapeQuand'>,
  context: z.core.$RefinementCtx,
) {
  if (!etapeQuoi && (etapeQui || etapeQuand || resultat === 'a_faire_par_la_personne'))
    context.addIssue({ code: 'custom', path: ['etapeQuoi'], message: 'Écrivez ce qu’il reste à faire.' })
}
/** Asked even when a field is refused, so that everything to mend is said at once. */
const always = { when: () => true }

export const demarcheForm = fields.superRefine(entire, always)
export const horsMandatForm = fields
  .extend({
    motif: texte(280, { required: 'Dites pourquoi cet acte a été fait hors mandat.', lines: true }).refine(
      (motif) => [...motif].length >= 5,
      'Dites-le en quelques mots (5 caractères au moins).',
    ),
  })
  .superRefine(entire, always)

/** The démarche that a form tells, with its defaults. `doneAt`: what « faite le » says, in absolute time. */
export function demarcheDe(mandatId: string, said: z.output<typeof demarcheForm>, doneAt: Date | undefined): NewDemarche {
  const item = said.demarche ? demarcheDuCatalogue(said.demarche) : undefined
  return {
    mandatId,
    envoi: said.envoi,
    thematique: item?.thematique ?? said.thematique!,
    code: item?.code ?? null,
    titre: item?.libelle ?? said.titre!,
    administration: said.administration ?? item?.administration ?? null,
    nature: said.nature ?? PAR_DEFAUT.nature,
    mode: said.mode ?? PAR_DEFAUT.mode,
    presence: said.presence ?? PAR_DEFAUT.presence,
    canal: said.canal ?? PAR_DEFAUT.canal,
    doneAt: doneAt ?? null,
    dureeMinutes: said.duree === null ? null : (Number(said.duree) as DureeMinutes),
    resultat: said.resultat,
    motifBlocage: said.motifBlocage,
    reference: said.reference,
    montantCentimes: said.montant,
    etapeQuoi: said.etapeQuoi,
    etapeQui: said.etapeQui,
    etapeQuand: said.etapeQuand,
    orientation: said.orientation,
    note: said.note,
  }
}

/** Why she does not agree; what it belongs to waits for the answer when she ticks it. */
export const contestationForm = z.object({
  motif: choix(MOTIFS_CONTESTATION, 'Choisissez ce qui ne va pas.'),
  note: texte(280, { lines: true, aElle: true }),
  pause: choix(['oui']),
})
/** The same, heard by an aidant: how it came, and when on the structure's clock. */
export const contestationRecueForm = contestationForm.omit({ pause: true }).extend({
  note: texte(280, { lines: true }),
  maniere: choix(MANIERES_DE_LE_DIRE, 'Choisissez comment la personne l’a dit.'),
  recuLe: dateHeure('Écrivez le jour et l’heure où elle l’a dit.'),
})
/** Not named `reponse`, which is a person's own yes or no, never kept in a page (kept-form.ts). */
export const reponseForm = z
  .object({ reponseDonnee: choix(REPONSES, 'Choisissez une réponse.'), note: texte(280, { lines: true }) })
  .superRefine(({ reponseDonnee, note }, context) => {
    if (reponseDonnee === 'maintenue' && !note)
      context.addIssue({ code: 'custom', path: ['note'], message: 'Dites à la personne pourquoi.' })
  })

/** What is said in place of what was noted; `annulee`: it was not done, and the rest says nothing. */
export const correctionForm = fields
  .pick({
    titre: true,
    resultat: true,
    mode: true,
    presence: true,
    canal: true,
    duree: true,
    administration: true,
    motifBlocage: true,
    reference: true,
    montant: true,
    etapeQuoi: true,
    etapeQui: true,
    etapeQuand: true,
    orientation: true,
    note: true,
  })
  .extend({
    annulee: choix(['oui']),
    mode: choix(MODES, 'Choisissez comment.'),
    presence: choix(PRESENCES, 'Dites si la personne était là.'),
    canal: choix(CANAUX, 'Choisissez par quel moyen.'),
    raison: texte(280, { required: 'Dites pourquoi vous corrigez : la personne le lira.', lines: true }),
  })
  .superRefine((said, context) => {
    if (!said.annulee) etapeEntiere(said, context)
  }, always)
export function faitsCorriges({
  annulee,
  raison: _,
  titre,
  duree,
  montant,
  ...said
}: z.output<typeof correctionForm>): Faits | null {
  if (annulee) return null
  return {
    ...said,
    titre: titre ?? '',
    dureeMinutes: duree === null ? null : (Number(duree) as DureeMinutes),
    montantCentimes: montant,
  }
}
