import { expect, it } from 'vitest';
import { positionOf, RecordingsError } from '../../sdk/api';
import type { PlaybackInfo, RecordingEntry } from '../../sdk/api';
import { detailOf, nameOf, playbackNews, playedOf, positionText, recordingProblem, timeText, whenOf } from './playback-words';

const playback: PlaybackInfo = { recording: '20261128-200000-kitchen-01234567', title: '', members: ['p-1'], byName: 'Ann', playing: true, loop: false, position: 5_000, heardAt: 1_000, length: 9_000, next: [] };

it('tells times as players do', () => {
  expect([0, 999, 7_000, 754_000, 3_723_000, -5].map(timeText)).toEqual(['0:00', '0:00', '0:07', '12:34', '1:02:03', '0:00']);
  expect(positionText(7_400, 61_000)).toBe('0:07 of 1:01');
});

it('tells when a recording was begun by its id, in UTC', () => {
  const at = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' }).format(Date.UTC(2026, 10, 28, 20));
  expect(whenOf(playback.recording, 'en-GB')).toBe(at);
  expect(whenOf('something')).toBe('something');
  expect([nameOf({ id: 'something', title: '' }), nameOf({ id: 'something', title: 'A film' })]).toEqual(['something', 'A film']);
  expect([playedOf({ ...playback, recording: 'x' }), playedOf({ ...playback, title: 'A film' })]).toEqual(['Recording of x', 'A film']);
});

it('goes on by itself while it plays, up to the end', () => {
  expect([1_000, 3_500, 9_999, 0].map((now) => positionOf(playback, now))).toEqual([5_000, 7_500, 9_000, 5_000]);
  expect(positionOf({ ...playback, playing: false }, 3_500)).toBe(5_000);
});

it('tells of what begins and ends, and of nothing else', () => {
  expect(playbackNews(undefined, playback)).toMatch(/^Ann plays the recording of .*2026/);
  expect(playbackNews(undefined, { ...playback, byName: '' })).toMatch(/^For everyone: the recording of/);
  expect(playbackNews(undefined, { ...playback, title: 'A film' })).toBe('Ann plays “A film” for everyone.');
  expect(playbackNews(playback, { ...playback, playing: false })).toBe('');
  expect(playbackNews(playback, undefined)).toBe('The recording is not played any more.');
  expect(playbackNews(undefined, undefined)).toBe('');
});

it('says how a recording does', () => {
  const entry: RecordingEntry = { id: '', room: '', title: '', state: 'saved', why: '', byName: 'Ann', began: 0, length: 61_000, bytes: 1_200_000, files: [] };
  expect(detailOf(entry)).toBe('1:01, 1.2 MB, by Ann');
  expect(detailOf({ ...entry, byName: '' })).toBe('1:01, 1.2 MB');
  expect(['recording', 'waiting', 'ending', 'failed'].map((state) => detailOf({ ...entry, state }))).toEqual([
    'is being recorded', 'is being recorded', 'is being completed', 'could not be completed',
  ]);
});

it('says what to do about what did not come about', () => {
  expect(recordingProblem(new RecordingsError(0, 'it was cut off'))).toMatch(/^It did not work: it was cut off. .*try again/);
  expect(recordingProblem(new RecordingsError(401, 'no token'))).toBe('The server does not let you: no token. Ask who runs it for a link that lets you record.');
  expect(recordingProblem(new RecordingsError(409, 'it goes on'))).toBe('The server says: it goes on.');
});
