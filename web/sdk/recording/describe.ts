// What the relay tells of a recording by its HTTP API (docs/protocol.md section 22).

import { RecordingsError } from '../api';
import type { RecordingDescription } from './api';

interface WireDescription {
  id: string;
  room: string;
  title?: string;
  began: string;
  durationMs: number;
  files: { durationMs: number }[] | null;
}

export async function describe(api: string, id: string, token: string, fetcher: typeof fetch = (...args) => fetch(...args)): Promise<RecordingDescription> {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetcher(`${api}recordings/${encodeURIComponent(id)}`, { headers }).catch(() => {
    throw new RecordingsError(0, 'the server cannot be reached');
  });
  if (!response.ok) {
    const text = (await response.text().catch(() => '')).trim().slice(0, 300);
    throw new RecordingsError(response.status, text || response.statusText);
  }
  const { room, title = '', began, durationMs, files } = (await response.json()) as WireDescription;
  const lengths = (files ?? []).map(({ durationMs: length }) => ({ length }));
  return { id, room, title, began: Date.parse(began), length: durationMs, files: lengths };
}
