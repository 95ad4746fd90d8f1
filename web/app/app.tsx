import { useEffect } from 'preact/hooks';
import { CallScreen } from './call/screen';
import { Connecting, Over } from './over';
import { Start } from './start/start';
import { useStore } from './store';
import { ToastList } from './ui/toasts';
import type { Screen, Visit } from './visit';

export function App({ visit }: { visit: Visit }) {
  const { screen } = useStore(visit.store);
  useEffect(() => {
    // The call screen names its own title, with the unread count.
    if (screen.at !== 'call') document.title = screen.room ? `${screen.room} · Landline` : 'Landline';
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
    case 'over':
      return <Over visit={visit} room={screen.room} code={screen.code} text={screen.text} />;
  }
}
