import { labels } from '../labels';
import { useStore } from '../store';
import { Choice, type Option } from '../ui/parts';
import type { Media } from './media';
import type { Kind } from './trouble';

/** The devices of one kind to choose from. Before the permission is given browsers do not tell their names. */
export function deviceOptions(inputs: readonly MediaDeviceInfo[], kind: MediaDeviceKind, noun: string): Option[] {
  const known = inputs.filter((input) => input.kind === kind && input.deviceId !== '');
  if (known.length === 0) return [{ value: '', text: `Default ${noun}` }];
  return known.map((input, index) => ({ value: input.deviceId, text: input.label || `${noun} ${index + 1}` }));
}

const kinds: Record<Kind, { label: string; input: MediaDeviceKind; noun: string }> = {
  camera: { label: labels.camera, input: 'videoinput', noun: 'camera' },
  mic: { label: labels.microphone, input: 'audioinput', noun: 'microphone' },
};

/** Chooses the camera or microphone. */
export function DeviceChoice({ media, kind }: { media: Media; kind: Kind }) {
  const { inputs, prefs, [kind]: device } = useStore(media.store);
  const { label, input, noun } = kinds[kind];
  const current = device.track?.getSettings().deviceId ?? prefs[kind];
  return (
    <Choice
      label={label}
      value={current}
      options={deviceOptions(inputs, input, noun)}
      onChange={(id) => void media.choose(kind, id)}
    />
  );
}
