/** Writes one byte a character, 0xff for those above U+00FF: no two characters of a path may look alike to a route. */
export function textToBytes(text: string, buf: Buffer): void {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    buf[i] = code > 255 ? 255 : code;
  }
}
