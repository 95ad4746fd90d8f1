// Reads what the test runners wrote.
//   report.mjs failures GO.json               prints the output of failed Go tests and packages
//   report.mjs summary GO.json VITEST.json... SKIPS
//     prints run, skipped and why; exits 1 where nothing ran, something failed, or a skip is not listed in SKIPS
import { existsSync, readFileSync } from 'node:fs';

const [mode, ...files] = process.argv.slice(2);

/** The events of go test -json; lines that are no JSON are build output. */
function goEvents(file) {
  return readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => {
    try {
      return JSON.parse(line);
    } catch {
      return { Action: 'build-output', Output: `${line}\n` };
    }
  });
}

function failures(file) {
  const output = new Map();
  const key = (e) => `${e.Package} ${e.Test ?? ''}`;
  for (const e of goEvents(file)) {
    if (e.Action === 'build-output') process.stdout.write(e.Output);
    else if (e.Action === 'output') output.set(key(e), (output.get(key(e)) ?? '') + e.Output);
    else if (e.Action === 'fail') process.stdout.write(`--- ${key(e)}\n${output.get(key(e)) ?? ''}`);
    else if (e.Action === 'pass' && !e.Test) process.stdout.write(`ok ${e.Package} ${e.Elapsed}s\n`);
  }
}

function goResults(file) {
  const why = new Map();
  const results = [];
  for (const e of goEvents(file)) {
    if (!e.Test) continue;
    const name = `${e.Package}.${e.Test}`;
    if (e.Action === 'output') why.set(name, (why.get(name) ?? '') + e.Output);
    if (['pass', 'fail', 'skip'].includes(e.Action)) results.push({ name, state: e.Action, why: reason(why.get(name) ?? '') });
  }
  return results;
}

const reason = (output) => output.split('\n').filter((l) => /_test\.go:\d+:/.test(l)).map((l) => l.trim()).join('; ');

/** What went wrong, without colours and where in the code. */
const firstLines = (message) => message.replace(/\x1b\[[0-9;]*m/g, '').split(/\n\s+at /)[0].replace(/\s+/g, ' ').slice(0, 600);

function vitestResults(file) {
  const states = { passed: 'pass', failed: 'fail' };
  return JSON.parse(readFileSync(file, 'utf8')).testResults.flatMap((suite) =>
    suite.assertionResults.map((t) => ({
      name: `${suite.name.replace(/.*\/web\//, 'web/')} ${t.fullName}`,
      state: states[t.status] ?? 'skip',
      why: (t.failureMessages ?? []).map(firstLines).join('; ') || t.status,
    })));
}

function summary(paths) {
  const listed = readFileSync(paths.pop(), 'utf8').split('\n').map((l) => l.replace(/#.*/, '').trim()).filter(Boolean);
  let bad = false;
  const total = { pass: 0, fail: 0, skip: 0 };
  for (const path of paths) {
    const results = !existsSync(path) ? [] : path.endsWith('go.json') ? goResults(path) : vitestResults(path);
    if (results.length === 0) bad = true;
    const count = { pass: 0, fail: 0, skip: 0 };
    for (const r of results) count[r.state]++;
    for (const k of Object.keys(total)) total[k] += count[k];
    console.log(`${path.replace(/.*\//, '')}: ran ${count.pass + count.fail}, failed ${count.fail}, skipped ${count.skip}`);
    for (const r of results) {
      if (r.state === 'fail') console.log(`  failed: ${r.name}: ${r.why.slice(0, 1500)}`);
      if (r.state !== 'skip') continue;
      const known = listed.includes(r.name);
      console.log(`  skipped${known ? '' : ', and not listed'}: ${r.name}: ${r.why || 'no reason given'}`);
      bad ||= !known;
    }
  }
  console.log(`${total.pass} passed, ${total.fail} failed, ${total.skip} skipped`);
  return bad || total.fail > 0;
}

if (mode === 'failures') failures(files[0]);
else if (mode === 'summary') process.exit(summary(files) ? 1 : 0);
else throw new Error(`unknown mode ${mode}`);
