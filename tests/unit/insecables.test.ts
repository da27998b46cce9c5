import { describe, expect, test } from 'vitest'
import { insecables } from '../../src/notification/insecables.ts'
import { input, textarea } from '../../views/kit/form.ts'
import { html } from '../../views/kit/html.ts'

const seen = (words: string) => words.replaceAll('\u00a0', '~')

describe('espaces insécables', () => {
  test.each([
    ['Une question ? Oui !', 'Une question~? Oui~!'],
    ['ici : là ; puis', 'ici~: là~; puis'],
    ['il dit « oui », 5 %, 12,50 €', 'il dit «~oui~», 5~%, 12,50~€'],
    ['à 14 h 05, entre 8 et 20 h', 'à 14~h~05, entre 8 et 20 h'],
    ['12:30, https://exemple.fr/?a=b', '12:30, https://exemple.fr/?a=b'],
  ])('%s', (text, expected) => expect(seen(insecables(text))).toBe(expected))

  test('dans une page, ce qui est lu : fixe, donné, ou les deux bouts', () => {
    const said = 'Pourquoi ?'
    expect(seen(html`<p title="Quoi ?">Fin : « ${said} » ${'ici'} !</p>`.toString())).toBe(
      '<p title="Quoi ?">Fin~: «~Pourquoi~?~» ici~!</p>',
    )
  })

  test('jamais ce qui est renvoyé ou recopié : valeur d’un champ, zone de texte, code, adresse', () => {
    const typed = 'Quoi : « lui » ?'
    const made = [
      input({ name: 'x', label: 'x', value: typed }),
      textarea({ name: 'y', label: 'y', value: typed, maxlength: 280 }),
      html`<code>a : ${typed}</code><a href="/x?q=${typed}" data-x="a ?">x</a>`,
    ].join('')
    expect(seen(made)).not.toContain('~')
    expect(made.match(/Quoi : « lui » \?/g)).toHaveLength(4)
  })
})
