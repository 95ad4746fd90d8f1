import { useEffect, useState } from 'preact/hooks';
import { CallScreen } from './call/screen';
import { Connecting, Over, Unloaded } from './over';
import { Start } from './start/start';
import { useStore } from './store';
import { ToastList } from './ui/toasts';
import type { Screen, Visit } from './visit';

export function App({ visit }: { visit: Visit }) {
  const { screen } = useStore(visit.store);
  useEffect(() => {
    // The call screen names its own title, with the unread count, and that of a recording its name.
    if (screen.at !== 'call' && screen.at !== 'recording') document.title = screen.room ? `${screen.room} · Landline` : 'Landline';
  }, [screen]);
  return (
    <>
      <Current visit={visit} screen={screen} />
      <ToastList toasts={visit.toasts} />
    </>
  );
}

function Current({ visit, screen }: { visit: Visit; screen: Screen }) {
  switch (screen.at) {
    case 'start':
      return <Start key={screen.room ?? ''} visit={visit} room={screen.room} />;
    case 'connecting':
      return <Connecting room={screen.room} onCancel={() => visit.start(screen.room)} />;
    case 'call':
      return <CallScreen visit={visit} call={screen.call} />;
    case 'recording':
      return <Recording key={screen.opened} id={screen.id} />;
    case 'over':
      return <Over visit={visit} room={screen.room} code={screen.code} text={screen.text} />;
  }
}

/** What plays recordings is fetched only where there is one to be played. */
function Recording({ id }: { id: string }) {
  const [loaded, setLoaded] = useState<typeof import('./watch/screen')>();
  const [failed, setFailed] = useState(false);
  useEffect(() => void import('./watch/screen').then(setLoaded, () => setFailed(true)), []);
  if (failed) return <Unloaded />;
  return loaded ? <loaded.WatchScreen id={id} /> : null;
}
