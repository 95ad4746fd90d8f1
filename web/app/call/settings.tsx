import { labels } from '../labels';
import { DeviceChoice, deviceOptions } from '../media/choices';
import { Level } from '../media/level';
import type { Picture, Sound } from '../prefs';
import { useStore } from '../store';
import { Choice, Dialog, type Option } from '../ui/parts';
import type { Call } from './call';

const sounds: Option[] = [
  { value: 'clean', text: 'Speech, echo and noise removed' },
  { value: 'original', text: 'Original, as recorded' },
];

const pictures: Option[] = [
  { value: 'low', text: 'Low (180p), for slow connections' },
  { value: 'standard', text: 'Standard (360p)' },
  { value: 'high', text: 'High (720p), needs a fast device' },
];

/** Devices and quality, while in the call. */
export function Settings({ call, onClose }: { call: Call; onClose: () => void }) {
  const { media } = call;
  const { mic, inputs, prefs } = useStore(media.store);
  const chooseSpeaker = (speaker: string) => {
    media.save({ speaker });
    call.useSpeaker(speaker);
  };
  return (
    <Dialog title={labels.settings} onClose={onClose}>
      <div class="settings">
        <DeviceChoice media={media} kind="camera" />
        <Choice
          label="Picture quality"
          value={prefs.picture}
          options={pictures}
          onChange={(value) => void media.setPicture(value as Picture)}
        />
        <DeviceChoice media={media} kind="mic" />
        <Level track={mic.wanted ? mic.track : undefined} />
        <Choice
          label="Sound"
          value={prefs.sound}
          options={sounds}
          hint="Original is for music; wear headphones with it."
          onChange={(value) => void media.setSound(value as Sound)}
        />
        {'setSinkId' in AudioContext.prototype && (
          <Choice
            label={labels.speaker}
            value={prefs.speaker}
            options={deviceOptions(inputs, 'audiooutput', 'speaker')}
            onChange={chooseSpeaker}
          />
        )}
        <p class="quiet key-hint">
          Press <kbd>?</kbd> in the call for the keyboard shortcuts.
        </p>
      </div>
    </Dialog>
  );
}
