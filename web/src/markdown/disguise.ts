/** Links whose words name another place than they lead to. */

// Something with a scheme, or that reads like a host: letters, a dot, letters.
const PLACE = /(?:^|[\s(<"'])(?:[a-z][a-z0-9+.-]*:\/\/|www\.)?([\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,})/iu;

/** The host that `href` leads to, when `words` name another one or hide it behind turned letters. */
export function disguisedHost(href: string, words: string): string | undefined {
  const target = hostOf(href);
  const named = PLACE.exec(words)?.[1]?.toLowerCase();
  const isTurned = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(words);
  if (!isTurned && (named === undefined || isSame(named, target))) return undefined;
  return target;
}

function hostOf(href: string): string {
  if (href.startsWith("mailto:")) return href.slice("mailto:".length).replace(/\?.*$/, "");
  // Punycode for what is not ASCII: letters that only look alike are seen.
  return URL.canParse(href) ? new URL(href).hostname : href;
}

function isSame(named: string, target: string): boolean {
  const bare = (host: string): string => host.replace(/^www\./, "").replace(/^.*@/, "");
  return bare(named) === bare(target.toLowerCase());
}
