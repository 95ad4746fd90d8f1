import { labels } from '../labels';
import { Level } from '../media/level';
import { isOn, type Device, type Media } from '../media/media';
import { troubleText, type Kind, type Trouble } from '../media/trouble';
import { LocalVideo } from '../media/video';
import { DeviceChoice } from '../media/choices';
import { useStore } from '../store';
import { Camera, CameraOff, Mic, MicOff, Warning } from '../ui/icons';
import { Tool } from '../ui/parts';

/** Camera and microphone before the call: what the others will see and hear. */
export function Preview({ media }: { media: Media }) {
  const { mic, camera } = useStore(media.store);
  const [micOn, cameraOn] = [isOn(mic), isOn(camera)];
  return (
    <section class="preview" aria-label="Camera and microphone">
      <div class="preview-picture">
        <PreviewPicture camera={camera} />
        <div class="preview-tools">
          <Tool
            label={micOn ? labels.mute : labels.unmute}
            tone={micOn ? undefined : 'off'}
            busy={mic.asking}
            onClick={() => void media.want('mic', !micOn)}
          >
            {micOn ? <Mic /> : <MicOff />}
          </Tool>
          <Tool
            label={cameraOn ? labels.cameraOff : labels.cameraOn}
            tone={cameraOn ? undefined : 'off'}
            busy={camera.asking}
            onClick={() => void media.want('camera', !cameraOn)}
          >
            {cameraOn ? <Camera /> : <CameraOff />}
          </Tool>
        </div>
      </div>
      <Troubles media={media} />
      <div class="preview-devices">
        <DeviceChoice media={media} kind="camera" />
        <div>
          <DeviceChoice media={media} kind="mic" />
          <Level track={mic.wanted ? mic.track : undefined} />
        </div>
      </div>
    </section>
  );
}

function PreviewPicture({ camera }: { camera: Device }) {
  if (camera.track && camera.wanted) return <LocalVideo track={camera.track} label="Preview of your camera" mirrored />;
  let text = 'Your camera is off';
  if (camera.asking) text = 'Waiting for your permission…';
  else if (camera.wanted && camera.trouble) text = 'No picture';
  return (
    <div class="preview-empty">
      {camera.asking ? <Camera /> : <CameraOff />}
      <p>{text}</p>
    </div>
  );
}

/** What is wrong with the devices, and that one can join all the same. */
function Troubles({ media }: { media: Media }) {
  const state = useStore(media.store);
  const kinds = (['camera', 'mic'] as const).filter((kind) => state[kind].wanted && state[kind].trouble);
  if (kinds.length === 0) return null;
  const alike = kinds.length === 2 && state.camera.trouble === state.mic.trouble;
  const groups: Kind[][] = alike ? [kinds] : kinds.map((kind) => [kind]);
  return (
    <div class="notices" role="status">
      {groups.map((group) => (
        <TroubleNote key={group.join()} media={media} kinds={group} trouble={state[group[0]!].trouble!} />
      ))}
      <p class="quiet">You can join without: you will hear and see the others.</p>
    </div>
  );
}

function TroubleNote({ media, kinds, trouble }: { media: Media; kinds: Kind[]; trouble: Trouble }) {
  const { title, advice } = troubleText(kinds, trouble);
  return (
    <div class="notice">
      <Warning />
      <div>
        <strong>{title}</strong>
        <p>{advice}</p>
      </div>
      <button type="button" class="button small" aria-label={`Try again: ${title}`} onClick={() => void media.start()}>
        Try again
      </button>
    </div>
  );
}
