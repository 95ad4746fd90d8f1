import { expect, test } from 'vitest';
import type { RecordingInfo } from '../../sdk';
import { recordingMark, recordingNews } from './recording-words';

const at = (state: string, more: Partial<RecordingInfo> = {}): RecordingInfo => ({ id: 'r', state, why: '', by: '', byName: '', only: '', since: 0, ...more });

test('the mark stands while something may be recorded', () => {
  expect(recordingMark(undefined)).toBeUndefined();
  expect(recordingMark(at('recording'))).toBe('Recording');
  expect(recordingMark(at('recording', { only: 'Ann' }))).toBe('Recording Ann');
  expect(recordingMark(at('waiting', { why: 'disk-full' }))).toContain('waiting');
  for (const state of ['ending', 'saved', 'failed']) expect(recordingMark(at(state))).toBeUndefined();
});

test('each change is told once, and old recordings are not told to newcomers', () => {
  expect(recordingNews(undefined, at('recording', { byName: 'Ann' }))).toContain('by Ann');
  expect(recordingNews(at('recording'), at('recording'))).toBe('');
  expect(recordingNews(at('recording'), at('waiting', { why: 'disk-slow' }))).toContain('slow');
  expect(recordingNews(at('waiting'), at('recording'))).toContain('goes on');
  expect(recordingNews(at('ending'), at('saved'))).toContain('saved');
  expect(recordingNews(undefined, at('saved'))).toBe('');
  expect(recordingNews(at('recording'), undefined)).toBe('');
});
