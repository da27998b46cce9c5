const NAVIGATEURS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|Opera)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/(Chrome|CriOS)\//, 'Chrome'],
  [/\bVersion\/[\d.]+ .*Safari\//, 'Safari'],
]
const APPAREILS: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'un iPhone'],
  [/\biPad\b/, 'un iPad'],
  [/\bAndroid\b.*\bMobile\b/, 'un téléphone Android'],
  [/\bAndroid\b/, 'une tablette Android'],
  [/\bWindows NT\b/, 'un ordinateur Windows'],
  [/\bMacintosh\b/, 'un Mac'],
  [/\bCrOS\b/, 'un Chromebook'],
  [/\bLinux\b/, 'un ordinateur Linux'],
]

/**
 * What a browser says it is (User-Agent, RFC 9110 §10.1.5), in the words of two closed lists: « Firefox sur un ordinateur Windows ». Neither a
 * version nor a model, which could tell one person from another.
 */
export function appareilDe(userAgent: string | undefined): string {
  const said = (list: typeof APPAREILS) => list.find(([sign]) => sign.test(userAgent ?? ''))?.[1]
  return `${said(NAVIGATEURS) ?? 'Navigateur inconnu'} sur ${said(APPAREILS) ?? 'un appareil inconnu'}`
}
