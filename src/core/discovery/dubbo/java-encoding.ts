/** As `java.net.URLEncoder.encode(text, "UTF-8")`: a space is "+", `* - . _` stay, `! ' ( ) ~` do not. */
export function encodeJava(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

/** As `java.net.URLDecoder.decode`. @returns null when it is no such text */
export function decodeJava(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}
