import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { knownCodes, problemOf, remedyLabels } from './problems';

/** The codes in the table of close codes, as the protocol page has them. */
function protocolCodes(): string[] {
  const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
  const section = page.slice(page.indexOf('## 12. '), page.indexOf('## 13. '));
  return [...section.matchAll(/^\| \d{4} \| `([a-z-]+)` \|/gm)].map((match) => match[1]!);
}

describe('problemOf', () => {
  it('has words for every close code of the protocol', () => {
    const codes = protocolCodes();
    expect(codes.length).toBeGreaterThan(15);
    expect(codes.filter((code) => !knownCodes.includes(code))).toEqual([]);
  });

  it('has words for what the page itself finds out', () => {
    expect(knownCodes).toContain('unreachable');
    expect(knownCodes).toContain('unsupported-browser');
  });

  it.each(knownCodes)('says for %s what happened, why and what to do', (code) => {
    const problem = problemOf(code, 'text of the server');
    for (const text of [problem.title, problem.why, problem.advice]) {
      expect(text.length).toBeGreaterThan(9);
      expect(text).not.toContain(code.includes('-') ? code : '§');
    }
    expect(remedyLabels[problem.remedy]).toBeTruthy();
  });

  it('waits at least the five seconds that the protocol asks for', () => {
    expect(problemOf('overloaded', '').wait).toBeGreaterThanOrEqual(5);
    expect(problemOf('room-full', '').wait).toBeGreaterThanOrEqual(5);
  });

  it('does not offer the same join again where the protocol says a person must change something', () => {
    for (const code of ['bad-token', 'token-expired', 'forbidden', 'unsupported-version']) {
      expect(problemOf(code, '').remedy).not.toBe('again');
    }
  });

  it('shows an unknown code with its text', () => {
    const problem = problemOf('new-code', 'the server said so');
    expect(problem.why).toContain('new-code');
    expect(problem.why).toContain('the server said so');
    expect(problem.remedy).toBe('again');
  });
});
