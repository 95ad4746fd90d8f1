import type { MemberInfo } from '../../sdk';
import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import { labels, states, volumeOf } from '../labels';
import { initials, tint } from '../names';
import { CameraOff, Film, MicOff, Screen, Sound } from '../ui/icons';
import type { Call, CallState } from './call';
import { PanelFrame } from './panel';
import { faceOf, sounding } from './tiles';

export function PeoplePanel({ call, state }: { call: Call; state: CallState }) {
  return (
    <PanelFrame call={call} panel="people" title={`${labels.people} (${state.members.length + 1})`}>
      <ul class="people" role="list" aria-label={labels.people}>
        {[state.self, ...state.members].map((member) => (
          <Row
            key={member.id}
            call={call}
            member={member}
            self={member === state.self}
            speaking={state.speakers.includes(member.id)}
          />
        ))}
      </ul>
    </PanelFrame>
  );
}

interface RowProps {
  call: Call;
  member: MemberInfo;
  self: boolean;
  speaking: boolean;
}

function Row({ call, member, self, speaking }: RowProps) {
  const sound = sounding(member);
  const face = faceOf(member, self);
  const playing = member.tracks.some((track) => track.source === 'file' && track !== face);
  const sharing = member.tracks.some((track) => track.source === 'screen');
  return (
    <li class={speaking ? 'person speaking' : 'person'}>
      <span class={`avatar tint-${tint(member.id, 6)}`} aria-hidden="true">
        {initials(member.name)}
      </span>
      <span class="person-name">
        {member.name}
        {self && <span class="quiet"> (you)</span>}
        {member.state === 'reconnecting' && <small class="state-word">{states.reconnecting}</small>}
      </span>
      <span class="person-states">
        {playing && <Mark icon={<Film />} text={states.streaming} />}
        {sharing && <Mark icon={<Screen />} text={states.sharing} />}
        {sound !== 'on' && <Mark icon={<MicOff />} text={sound === 'muted' ? states.muted : states.noSound} />}
        {(!face || face.muted) && <Mark icon={<CameraOff />} text={states.cameraOff} />}
      </span>
      {!self && sound !== 'none' && <Volume call={call} member={member} />}
    </li>
  );
}

function Mark({ icon, text }: { icon: ComponentChild; text: string }) {
  return (
    <span title={text}>
      {icon}
      <span class="sr">{text}</span>
    </span>
  );
}

/** How loud the others are is remembered for the call, so that a closed panel forgets nothing. */
const volumes = new WeakMap<Call, Map<string, number>>();

function Volume({ call, member }: { call: Call; member: MemberInfo }) {
  const known = volumes.get(call) ?? new Map<string, number>();
  volumes.set(call, known);
  const [volume, setVolume] = useState(known.get(member.id) ?? 1);
  const change = (value: number) => {
    known.set(member.id, value);
    setVolume(value);
    call.room.setVolume(member.id, value);
  };
  return (
    <label class="volume">
      <Sound />
      <input
        type="range"
        min={0}
        max={1}
        step={0.05}
        value={volume}
        aria-label={volumeOf(member.name)}
        onInput={(event) => change(event.currentTarget.valueAsNumber)}
      />
    </label>
  );
}
