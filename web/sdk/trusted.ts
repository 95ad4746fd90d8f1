// Scripts of our own origin, for pages that require Trusted Types.

interface Policy {
  createScriptURL(url: string): unknown;
}

interface Factory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy;
}

let policy: Policy | undefined;

/** The address as a worker may be started from: only of this page's own origin. */
export function trustedScript(url: string): string {
  const checked = ownOrigin(url);
  const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
  if (!factory) return checked;
  policy ??= factory.createPolicy('landline', { createScriptURL: ownOrigin });
  return policy.createScriptURL(checked) as string;
}

function ownOrigin(url: string): string {
  const full = new URL(url, location.href);
  if (full.origin !== location.origin) throw new TypeError(`script of another origin: ${full.origin}`);
  return full.href;
}
