import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  choix,
  code6,
  courriel,
  dateFr,
  dateHeure,
  isFormType,
  liste,
  MAX_FIELDS,
  parseForm,
  texte,
  uuid,
} from '../../src/form.ts'
import { findSecret, sansSecret } from '../../src/sans-secret.ts'

const THEMES = ['papiers', 'logement', 'argent'] as const
const form = z.object({
  titre: texte(20, { required: 'Écrivez un titre.' }),
  note: texte(280, { lines: true }),
  resultat: choix(['deposee', 'terminee'], 'Choisissez un résultat.'),
  canal: choix(['guichet', 'courrier']),
  perimetre: liste(THEMES, 'Choisissez au moins un thème.'),
})
const GOOD = 'titre=APL&resultat=deposee&perimetre=logement'

const send = async <S extends z.ZodType>(schema: S, body: string | FormData | URLSearchParams, type?: string) => {
  let parsed: Awaited<ReturnType<typeof parseForm<S>>> | undefined
  const app = new Hono().post('/', async (c) => {
    parsed = await parseForm(c, schema)
    return c.text('ok')
  })
  const headers: Record<string, string> =
    type !== undefined
      ? { 'content-type': type }
      : typeof body === 'string'
        ? { 'content-type': 'application/x-www-form-urlencoded' }
        : {}
  const { status } = await app.request('/', { method: 'POST', body, headers })
  return { status, ...(parsed as NonNullable<typeof parsed>) } as { status: number } & NonNullable<typeof parsed>
}
const errorsOf = async (schema: z.ZodType, body: string | FormData) => {
  const parsed = await send(schema, body)
  return parsed.ok ? {} : parsed.errors
}
const one = async <T extends z.ZodType>(piece: T, value: string | undefined) => {
  const parsed = await send(z.object({ a: piece }), value === undefined ? '' : new URLSearchParams({ a: value }).toString())
  return parsed.ok ? (parsed.data as { a: unknown }).a : parsed.errors
}

describe('un formulaire', () => {
  it('donne des valeurs sûres, et null pour ce qu’on peut laisser vide', async () => {
    const parsed = await send(form, `${GOOD}&note=&perimetre=papiers&perimetre=logement&bouton=Enregistrer`)
    expect(parsed).toMatchObject({
      ok: true,
      data: { titre: 'APL', note: null, resultat: 'deposee', canal: null, perimetre: ['papiers', 'logement'] },
      values: { titre: 'APL', perimetre: ['logement', 'papiers', 'logement'] },
    })
  })

  it('refuse avec une phrase par champ, dans l’ordre des champs, sans perdre ce qui a été tapé', async () => {
    const parsed = await send(form, 'note=bonjour&canal=pigeon&perimetre=loisirs&titre=')
    expect(parsed).toMatchObject({ ok: false, values: { note: 'bonjour', canal: 'pigeon', perimetre: ['loisirs'] } })
    expect(Object.entries(parsed.ok ? {} : parsed.errors)).toEqual([
      ['titre', 'Écrivez un titre.'],
      ['resultat', 'Choisissez un résultat.'],
      ['canal', 'Choisissez une des réponses proposées.'],
      ['perimetre', 'Choisissez une des réponses proposées.'],
    ])
  })

  it('range une règle qui porte sur deux champs, ou sur aucun', async () => {
    const deux = z.object({ a: texte(9), b: texte(9) }).refine(({ a, b }) => a === b, 'Différents.')
    expect(await errorsOf(deux, 'a=1&b=2')).toEqual({ formulaire: 'Différents.' })
    const vers = z.object({ a: texte(9), b: texte(9) }).refine(({ a, b }) => a === b, { error: 'Différents.', path: ['b'] })
    expect(
      await errorsOf(
        vers.transform(({ a }) => a),
        'a=1&b=2',
      ),
    ).toEqual({ b: 'Différents.' })
  })

  it('refuse deux réponses à une seule question, et n’en choisit aucune', async () => {
    expect(await errorsOf(form, `${GOOD}&resultat=terminee`)).toEqual({ resultat: 'Une seule réponse est attendue ici.' })
  })

  it.each([
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'perimetre[]',
    'perimetre[__proto__]',
    '',
  ])('n’est pas troublé par un champ nommé « %s »', async (name) => {
    const parsed = await send(form, `${GOOD}&${encodeURIComponent(name)}=x&${encodeURIComponent(name)}=y`)
    expect(parsed.ok).toBe(true)
    expect(Object.keys(parsed.values)).toEqual(['titre', 'resultat', 'perimetre'])
    expect(({} as { x?: string }).x).toBeUndefined()
  })

  it('refuse un caractère nul, de commande, ou qui retourne le texte', async () => {
    for (const character of ['%00', '%1B', '%7F', '%C2%85', '%E2%80%AE', '%FF', '%EF%BF%BD', '%ED%A0%80'])
      expect(await errorsOf(form, `${GOOD}&note=a${character}b`), character).toHaveProperty('note')
    expect(await errorsOf(form, GOOD.replace('logement', 'logement%00'))).toHaveProperty('perimetre')
    expect((await send(form, `${GOOD}&note=a%00b`)).values.note).toBe('ab')
  })

  it('garde une seule façon d’écrire un texte : accents composés, fins de ligne, bords', async () => {
    expect(await one(texte(9), '  E\u0301le\u0300ve\u200B ')).toBe('Élève')
    expect(await one(texte(99, { lines: true }), 'une\r\ndeux\rtrois\tquatre')).toBe('une\ndeux\ntrois quatre')
    expect(await one(texte(99), 'une\ndeux')).toEqual({ a: 'Écrivez sur une seule ligne.' })
    expect(await one(texte(9, { required: 'Manque.' }), ' \u200B ')).toEqual({ a: 'Manque.' })
  })

  it('compte les caractères comme une personne', async () => {
    expect(await one(texte(3), '👵👵👵')).toBe('👵👵👵')
    expect(await one(texte(3), 'abcd')).toEqual({ a: '3 caractères au plus : il y en a 4.' })
  })

  it('ne réaffiche jamais un code', async () => {
    const parsed = await send(z.object({ code: code6, autre: texte(3, { required: 'Manque.' }) }), 'code=123456')
    expect(parsed).toMatchObject({ ok: false, values: {}, errors: { autre: 'Manque.' } })
    expect(parsed.values).not.toHaveProperty('code')
  })

  it('lit aussi le multipart, sans fichier', async () => {
    const body = new FormData()
    body.append('titre', 'APL')
    body.append('resultat', 'deposee')
    body.append('perimetre', 'papiers')
    body.append('perimetre', 'argent')
    expect(await send(form, body)).toMatchObject({ ok: true, data: { perimetre: ['papiers', 'argent'] } })
    body.append('note', new Blob(['x']), 'note.txt')
    expect(await errorsOf(form, body)).toEqual({ note: 'Ce formulaire n’accepte pas de fichier.' })
  })

  it('refuse tout autre type de contenu, et un multipart malformé', async () => {
    for (const type of [
      'application/json',
      'text/plain',
      '',
      'application/x-www-form-urlencodedx',
      'application/x-www-form-urlencoded; charset=iso-8859-1',
    ])
      expect((await send(form, GOOD, type)).status, type).toBe(415)
    expect((await send(form, 'pas du multipart', 'multipart/form-data; boundary=x')).status).toBe(400)
    expect((await send(form, 'x', 'multipart/form-data')).status).toBe(400)
    expect(isFormType('Application/X-WWW-Form-Urlencoded ; charset="UTF-8"')).toBe(true)
  })

  it('refuse plus de deux cents champs', async () => {
    expect((await send(form, `${GOOD}${'&x=1'.repeat(MAX_FIELDS - 3)}`)).status).toBe(200)
    expect((await send(form, `${GOOD}${'&x=1'.repeat(MAX_FIELDS - 2)}`)).status).toBe(413)
  })
})

describe('les pièces', () => {
  it.each([
    ['2027-03-03', '2027-03-03'],
    ['3/3/2027', '2027-03-03'],
    ['03.03.2027', '2027-03-03'],
    ['29/02/2024', '2024-02-29'],
    ['27 03 1950', '1950-03-27'],
  ])('lit la date %s', async (written, date) => expect(await one(dateFr('Manque.'), written)).toBe(date))

  it.each([
    '29/02/2023',
    '31/04/2026',
    '2026-13-01',
    '00/01/2026',
    '1/1/26',
    'demain',
    '01/01/0001',
  ])('refuse la date %s', async (written) => expect(await one(dateFr('Manque.'), written)).toHaveProperty('a'))

  it.each([
    ['2026-10-25T02:30', '2026-10-25T02:30'],
    ['2026-10-25T02:30:00', '2026-10-25T02:30'],
    ['3/3/2027 9:05', '2027-03-03T09:05'],
    ['03/03/2027 à 14 h 05', '2027-03-03T14:05'],
    ['03/03/2027 14h', '2027-03-03T14:00'],
  ])('lit le moment %s', async (written, moment) => expect(await one(dateHeure('Manque.'), written)).toBe(moment))

  it.each([
    '2026-10-25',
    '2026-10-25T24:00',
    '2026-02-30T10:00',
    '10:00',
    '3/3/2027 9:60',
  ])('refuse le moment %s', async (written) => expect(await one(dateHeure('Manque.'), written)).toHaveProperty('a'))

  it('rend null une date facultative laissée vide', async () => {
    expect(await one(dateFr(), '')).toBeNull()
    expect(await one(dateHeure(), undefined)).toBeNull()
    expect(await one(dateFr('Manque.'), '')).toEqual({ a: 'Manque.' })
  })

  it('lit un code espacé, et rien d’autre que six chiffres', async () => {
    expect(await one(code6, '123 456')).toBe('123456')
    expect(await one(code6, '123\u00A0456')).toBe('123456')
    for (const code of ['12345', '1234567', '12345a', '١٢٣٤٥٦'])
      expect(await one(code6, code)).toEqual({ a: 'Le code est fait de 6 chiffres.' })
  })

  it('lit une adresse e-mail sans casse ni espaces', async () => {
    expect(await one(courriel('Manque.'), ' Awa.Diop@CCAS-Figeac.FR ')).toBe('awa.diop@ccas-figeac.fr')
    for (const address of [
      'awa',
      'awa@',
      '@figeac.fr',
      'awa@figeac',
      'a@b.fr, c@d.fr',
      'awa@figeac.fr.',
      'a b@c.fr',
      'x@y.fr\nBcc: z@t.fr',
    ])
      expect(await one(courriel('Manque.'), address), address).toHaveProperty('a')
  })

  it('ne lit un identifiant que sous sa forme exacte', async () => {
    const id = '0190a2b4-1111-7abc-8def-0123456789ab'
    expect(await one(uuid, id)).toBe(id)
    for (const other of [id.toUpperCase(), id.slice(1), `${id}0`, `{${id}}`, `${id}%0A`])
      expect(await one(uuid, other)).toHaveProperty('a')
  })

  it('refuse un secret où qu’il soit tapé, en disant pourquoi', async () => {
    expect(await one(texte(80), 'mdp : Soleil31')).toEqual({ a: sansSecret('mdp : Soleil31') })
    expect(sansSecret('mdp : Soleil31')).toMatch(/mot de passe.*jamais/)
  })
})

describe('un secret', () => {
  it.each([
    ['nir', '1 85 05 78 006 084 91'],
    ['nir', 'sécu 185057800608491.'],
    ['nir', '2.69.05.49.588.157.80'],
    ['nir', 'NIR 1850578006084'],
    ['nir', '185 057 800 608 491'],
    ['nir', '1 85 05 2A 006 084 35'],
    ['nir', '1 85 05 2b 006 084'],
    ['iban', 'FR76 3000 6000 0112 3456 7890 189'],
    ['iban', 'compte fr7630006000011234567890189 merci'],
    ['iban', 'BE68 5390 0754 7034'],
    ['iban', 'NL91ABNA0417164300'],
    ['carte', '4970 1012 3456 7893'],
    ['carte', '4970 1012 3456 7893 12/27'],
    ['carte', '2026 4970 1012 3456 7893'],
    ['nir', '12 1 85 05 78 006 084 12/03/2026'],
    ['nir', '1850578006084 12 mars'],
    ['carte', '5555555555554444'],
    ['carte', 'Amex 3782 822463 10005'],
    ['carte', '4111-1111-1111-1111 exp 12/27'],
    ['mot_de_passe', 'mot de passe : xxx'],
    ['mot_de_passe', 'Mot de passe Ameli : soleil'],
    ['mot_de_passe', 'MDP=Azerty'],
    ['mot_de_passe', 'mdp: 1234'],
    ['mot_de_passe', 'son mot de passe est Soleil31'],
    ['mot_de_passe', 'mdp Soleil31'],
    ['mot_de_passe', 'code secret : 4521'],
  ])('est reconnu (%s) : %s', (kind, text) => expect(findSecret(text)).toBe(kind))

  it.each([
    'Dossier 2026-000123',
    'CAF 1234567 A',
    'allocataire 7654321',
    'appelé au 06 12 34 56 78 puis au 05.65.50.05.05',
    '+33 6 12 34 56 78',
    'SIRET 380 129 866 46850',
    'SIRET 26460128300019',
    'numéro fiscal 3012345678167',
    'numéro fiscal 18 50 578 006 193',
    'numéro fiscal 1850578006193',
    'France Travail 1234567B',
    'réf. 069011800123411017',
    'le 3 06 2026 à 14 h 05, rappel le 12/07/2026',
    'Né le 12 05 1950, 31 rue de Paris, 46100 Figeac',
    'mot de passe oublié : lien envoyé',
    'Mot de passe réinitialisé avec la personne',
    'nouveau mot de passe : changé par elle-même',
    'mot de passe perdu, rendez-vous le 12/03/2026 à 14h30',
    'Demande de code confidentiel : à voir avec ameli',
    'De 22 à 25 ans, de 12 000 euros',
    'tracking 6A12345678901',
    'montant 1250,00 euros, échéance 2026-12-01',
    'rue du Pin 75012 Paris',
    'réf. BE12 2024 0001 2345',
    'FR12 2024 0001 2345 6789 0123 456',
  ])('n’est pas vu où il n’y en a pas : %s', (text) => expect(findSecret(text)).toBeUndefined())
})
