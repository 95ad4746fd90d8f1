import { expect, test } from 'vitest';
import type { RecordedPicture, RecordedVoice } from '../../sdk/recording';
import { knownCodes } from '../problems';
import { brokenWords, headingOf, heardOnly, pictureName, watchProblem } from './words';

const picture = (name: string, track: string): RecordedPicture => ({ key: `${name} ${track}`, name, track, codec: 'vp8', width: 640, height: 360, broken: false });
const voice = (name: string, track = 'mic'): RecordedVoice => ({ key: `${name} ${track}`, name, track, broken: false });

test('a page is called by the title of a film, or by when a call was recorded', () => {
  expect(headingOf('20261129-101500-kitchen-0f3a9c21', { title: 'Our trip', room: 'kitchen' })).toEqual({ title: 'Our trip', room: 'kitchen' });
  expect(headingOf('20261129-101500-kitchen-0f3a9c21', undefined).title).toMatch(/^Recording of .*2026/);
  expect(headingOf('film', undefined)).toEqual({ title: 'film', room: '' });
});

test('every reason has words that do not speak of a call', () => {
  for (const code of [...knownCodes, 'no-such-recording', 'bad-file', 'failed', 'left', 'something-new']) {
    const { title, why, advice } = watchProblem(code, 'as the server says');
    expect(title && why && advice).toBeTruthy();
    expect(title, code).not.toMatch(/^The call ended/);
  }
  expect(watchProblem('something-new', 'as the server says').why).toContain('something-new');
});

test('who is heard and not seen is shown, once; a screen is no face', () => {
  const voices = [voice('Ann'), voice('Bob'), voice('Bob', 'mic-2'), voice('Cyd'), voice('Dee', 'screen-audio')];
  expect(heardOnly([picture('Ann', 'camera'), picture('Cyd', 'screen')], voices).map(({ name }) => name)).toEqual(['Bob', 'Cyd']);
  expect([picture('Ann', 'camera'), picture('Ann', 'screen')].map(pictureName)).toEqual(['Ann', 'Screen of Ann']);
});

test('what cannot be decoded is named', () => {
  expect(brokenWords('h264')).toContain('H.264');
  expect(brokenWords('V_MPEGH/ISO/HEVC')).toContain('V_MPEGH/ISO/HEVC');
});
