import type { RoomStats } from '../../sdk';
import type { Call, CallState } from './call';
import { healthOf, sameTrack, trackRows, transportWords, uplinkRows, videoRows } from './health';
import { PanelFrame } from './panel';

/** The connection in words first, then in numbers. */
export function ConnectionPanel({ call, state }: { call: Call; state: CallState }) {
  return (
    <PanelFrame call={call} panel="connection" title="Connection">
      <div class="scroll">
        {state.stats ? <Report stats={state.stats} state={state} /> : <p class="quiet empty">Measuring…</p>}
      </div>
    </PanelFrame>
  );
}

function Report({ stats, state }: { stats: RoomStats; state: CallState }) {
  const lost = state.state === 'reconnecting';
  const health = healthOf(stats, state.earlier);
  const names = new Map(state.members.map((member) => [member.id, member.name]));
  const members = [...new Set(stats.tracks.map((track) => track.member))];
  return (
    <>
      <section class={`health ${lost ? 'poor' : health.grade}`}>
        <h3>{lost ? 'Connection lost' : health.title}</h3>
        {lost ? <p>Trying to get back in. The others see you as reconnecting.</p> : health.reasons.map((text) => <p key={text}>{text}</p>)}
      </section>
      <section>
        <h3>You</h3>
        <Rows
          rows={[
            ['Transport', transportWords(stats)],
            ...uplinkRows(stats.uplink),
            ['Reconnects', String(stats.reconnects)],
          ]}
        />
        {stats.uplink.video.map((video) => (
          <Track key={video.track} name={video.track} kind="video" rows={videoRows(video)} />
        ))}
      </section>
      {members.map((member) => (
        <section key={member}>
          <h3>{names.get(member) ?? member}</h3>
          {stats.tracks
            .filter((track) => track.member === member)
            .map((track) => (
              <Track
                key={track.track}
                name={track.track}
                kind={track.kind}
                rows={trackRows(track, state.earlier && sameTrack(state.earlier, track))}
              />
            ))}
        </section>
      ))}
    </>
  );
}

const titles: Record<string, string> = { mic: 'Voice', camera: 'Camera', screen: 'Screen', 'screen-audio': 'Screen sound' };

function Track({ name, kind, rows }: { name: string; kind: 'audio' | 'video'; rows: [string, string][] }) {
  const plain = kind === 'video' ? 'Picture' : 'Sound';
  return (
    <details open>
      <summary>{titles[name] ?? `${plain} (${name})`}</summary>
      <Rows rows={rows} />
    </details>
  );
}

function Rows({ rows }: { rows: [string, string][] }) {
  return (
    <dl class="numbers">
      {rows.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
