// Test support: the examples of docs/protocol.md, and hex.

import { readFileSync } from 'node:fs';

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

export function toHex(data: Uint8Array): string {
  return Array.from(data, (b) => b.toString(16).padStart(2, '0')).join('');
}

function blocks(language: string): string[] {
  const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
  return Array.from(page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm), (m) => [m[1], m[2]!] as const)
    .filter(([lang]) => lang === language)
    .map(([, body]) => body);
}

export function hexBlocks(): Uint8Array[] {
  return blocks('hex').map((body) => fromHex(body.replace(/\s/g, '')));
}

export function jsonBlocks(): string[] {
  return blocks('json');
}
