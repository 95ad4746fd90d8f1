import { expect, it } from 'vitest';
import { filmOf, fullScreen, labels, pin, screenOf, videoOf, volumeOf } from './labels';

// The names that end-to-end tests and assistive technology act by. Changing one breaks both.
it('keeps the names that others rely on', () => {
  expect(labels).toMatchObject({
    join: 'Join',
    room: 'Room',
    yourName: 'Your name',
    mute: 'Mute microphone',
    unmute: 'Unmute microphone',
    cameraOff: 'Turn camera off',
    cameraOn: 'Turn camera on',
    share: 'Share screen',
    stopSharing: 'Stop sharing',
    streamFile: 'Stream a file',
    filmPause: 'Pause the file',
    filmGoOn: 'Go on with the file',
    filmStop: 'Stop the file',
    openChat: 'Open chat',
    closeChat: 'Close chat',
    openPeople: 'Open people',
    closePeople: 'Close people',
    settings: 'Settings',
    connection: 'Connection details',
    copyLink: 'Copy link',
    leave: 'Leave',
    message: 'Message',
    send: 'Send',
    attach: 'Send files',
    chat: 'Chat',
    people: 'People',
    you: 'You',
  });
  expect(videoOf('Ann')).toBe('Video of Ann');
});

it('names the controls of a tile after its member, so that no two are alike', () => {
  const names = [pin('Ann', false), pin('Ann', true), fullScreen('Ann'), volumeOf('Ann'), screenOf('Ann'), filmOf('Ann'), videoOf('Ann')];
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toContain('Ann');
});
