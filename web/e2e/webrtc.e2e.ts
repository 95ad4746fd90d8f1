// Pages that are not ours: RTCPeerConnection and fetch alone, publishing by WHIP and watching by WHEP.

import { join } from 'node:path';
import { expect, inject } from 'vitest';
import type { Page } from 'playwright-core';
import { Command } from './harness/cli';
import { e2e } from './harness/house';
import { flashingClip } from './harness/media';
import { ahead } from './harness/person';
import type { Stamp } from './harness/probe';
import { until } from './harness/wait';

const ROOM = 'cinema';

interface Watched {
  state: RTCPeerConnectionState;
  protocol: string | undefined;
  frames: number;
  packets: number;
}

/** Watches by candidates of one protocol until pictures and sound have come, or for 10 s. */
async function watch(page: Page, protocol: 'udp' | 'tcp'): Promise<Watched> {
  return page.evaluate(async ({ room, protocol }) => {
    const pc = new RTCPeerConnection();
    pc.addTransceiver('video', { direction: 'recvonly' });
    pc.addTransceiver('audio', { direction: 'recvonly' });
    await pc.setLocalDescription(await pc.createOffer());
    const headers = { 'Content-Type': 'application/sdp' };
    const answer = await fetch(`/whep/${room}`, { method: 'POST', headers, body: pc.localDescription!.sdp });
    const lines = (await answer.text()).split('\r\n');
    const sdp = lines.filter((line) => !line.startsWith('a=candidate') || line.includes(` ${protocol} `)).join('\r\n');
    await pc.setRemoteDescription({ type: 'answer', sdp });
    const watched: Watched = { state: 'new', protocol: undefined, frames: 0, packets: 0 };
    for (const end = performance.now() + 10_000; performance.now() < end && (watched.frames < 20 || watched.packets < 20); ) {
      await new Promise((next) => setTimeout(next, 50));
      const stats = [...(await pc.getStats()).values()];
      const pair = stats.find((s) => s.type === 'candidate-pair' && s.nominated);
      watched.protocol = stats.find((s) => s.id === pair?.localCandidateId)?.protocol;
      watched.frames = stats.find((s) => s.type === 'inbound-rtp' && s.kind === 'video')?.framesDecoded ?? 0;
      watched.packets = stats.find((s) => s.type === 'inbound-rtp' && s.kind === 'audio')?.packetsReceived ?? 0;
    }
    watched.state = pc.connectionState;
    await fetch(answer.headers.get('Location')!, { method: 'DELETE' });
    pc.close();
    return watched;
  }, { room: ROOM, protocol });
}

e2e('a page of somebody else watches by WHEP, over UDP and, where only the port of HTTP is open, over that', async ({ house }) => {
  house.strangers = true;
  const file = join(inject('folder'), 'whep.webm');
  flashingClip(file, 10);
  const film = Command.start('stream', house.server.url, ROOM, '--name', 'film', '--loop', file);
  await until('the film is streamed', async () => (await house.server.members(ROOM)).get('film')?.tracks.some((track) => track.frames > 0));
  const bob = await house.person('bob', { bypassCSP: true });
  await bob.page.goto(house.server.url);
  for (const protocol of ['udp', 'tcp'] as const) {
    const watched = await watch(bob.page, protocol);
    expect(watched).toMatchObject({ state: 'connected', protocol });
    expect(watched.frames).toBeGreaterThanOrEqual(20);
    expect(watched.packets).toBeGreaterThanOrEqual(20);
  }
  expect((await house.server.metrics()).sum('landline_media_bytes_out_total', 'path="webrtc"')).toBeGreaterThan(10_000);
  film.interrupt();
  await film.report(10_000);
}, 60_000);

/** Publishes the page's camera and microphone; what is returned is where the session is to be deleted. */
async function publish(page: Page): Promise<string> {
  return page.evaluate(async (room) => {
    const pc = new RTCPeerConnection();
    // A steady tone is noise to what would clean it.
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    for (const track of (await navigator.mediaDevices.getUserMedia({ video: true, audio })).getTracks()) {
      pc.addTransceiver(track, { direction: 'sendonly' });
    }
    await pc.setLocalDescription(await pc.createOffer());
    const headers = { 'Content-Type': 'application/sdp' };
    const answer = await fetch(`/whip/${room}`, { method: 'POST', headers, body: pc.localDescription!.sdp });
    await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    Object.assign(window, { pc });
    return answer.headers.get('Location')!;
  }, ROOM);
}

/** Restarts ICE of what the page publishes, as RFC 9725 section 4.3.3 has it. Gives the user fragments of the relay before and after, by the page's own account. */
async function restart(page: Page, session: string): Promise<(string | undefined)[]> {
  return page.evaluate(async (session) => {
    const { pc } = window as unknown as { pc: RTCPeerConnection };
    const before = pc.remoteDescription!.sdp;
    pc.restartIce();
    await pc.setLocalDescription(await pc.createOffer());
    const value = (sdp: string, name: string): string => sdp.split('\r\n').find((line) => line.startsWith(name)) ?? '';
    const own = pc.localDescription!.sdp;
    const fragment = ['m=audio', 'a=mid:', 'a=ice-ufrag:', 'a=ice-pwd:'].map((name) => `${value(own, name)}\r\n`).join('');
    const headers = { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*' };
    const answer = await fetch(session, { method: 'PATCH', headers, body: fragment });
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
    const theirs = await answer.text();
    const candidates = theirs.split('\r\n').filter((line) => line.startsWith('a=candidate:'));
    const lines = before.split('\r\n').filter((line) => !line.startsWith('a=candidate:'));
    const sdp = lines.flatMap((line) => {
      if (line.startsWith('a=ice-ufrag:')) return [value(theirs, 'a=ice-ufrag:')];
      if (line.startsWith('a=ice-pwd:')) return [value(theirs, 'a=ice-pwd:'), ...candidates];
      return [line];
    });
    await pc.setRemoteDescription({ type: 'answer', sdp: sdp.join('\r\n') });
    for (const end = performance.now() + 5_000; performance.now() < end; ) {
      await new Promise((next) => setTimeout(next, 50));
      if (pc.iceConnectionState === 'connected') break;
    }
    return [before, pc.currentRemoteDescription!.sdp].map((sdp) => value(sdp, 'a=ice-ufrag:'));
  }, session);
}

e2e('what a page of somebody else publishes by WHIP is seen and heard over the WebSocket', async ({ house }) => {
  house.strangers = true;
  const [ann, bob] = [await house.person('ann'), await house.person('bob', { bypassCSP: true })];
  await ann.join(house.server.url, ROOM);
  await bob.page.goto(house.server.url);
  const session = await publish(bob.page);
  const picture = ann.pictureOf({ name: 'WHIP' });
  const seesMoving = async (): Promise<void> => {
    let first: Stamp | undefined;
    await until("Ann sees Bob's camera move", async () => {
      const seen = await ann.stamp(picture);
      first ??= seen;
      return seen && first && seen.id === bob.id && ahead(seen, first) >= 5;
    });
  };
  await seesMoving();
  await ann.hears(bob);
  const [before, after] = await restart(bob.page, session);
  expect(after).not.toBe(before);
  await seesMoving();
  await ann.hears(bob);
  expect((await house.server.metrics()).sum('landline_media_bytes_in_total', 'path="webrtc"')).toBeGreaterThan(10_000);
  await bob.page.evaluate((at) => fetch(at, { method: 'DELETE' }), session);
  await picture.waitFor({ state: 'detached', timeout: 3_000 });
}, 60_000);
