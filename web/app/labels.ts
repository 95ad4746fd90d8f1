// The accessible names of the app, in one place. End-to-end tests act by role and name, and so do
// people who hear the page: a name here is a contract, not decoration.

export const labels = {
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
  /** The file that this page streams, role "region", and its controls. */
  film: 'Your file',
  filmPause: 'Pause the file',
  filmGoOn: 'Go on with the file',
  filmHear: 'Hear the file here',
  filmHush: 'Do not hear the file here',
  filmStop: 'Stop the file',
  record: 'Record',
  stopRecording: 'Stop recording',
  openRecordings: 'Open recordings',
  closeRecordings: 'Close recordings',
  /** The list of recordings, role "list". */
  recordings: 'Recordings',
  again: 'Try again',
  addFile: 'Add a file',
  /** What is played into the room, role "region", and its controls. */
  playback: 'Playback',
  pauseAll: 'Pause for everyone',
  playAll: 'Go on for everyone',
  position: 'Position',
  repeat: 'Repeat',
  nextAll: 'Go to the next',
  cancelAdding: 'Cancel',
  stopAll: 'Stop for everyone',
  /** Of a recording that is watched alone. */
  play: 'Play',
  pause: 'Pause',
  /** Where the browser lets sound begin only with a click. */
  watch: 'Watch',
  speed: 'Speed',
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
  /** The chat log, role "log". */
  chat: 'Chat',
  /** The list of members, role "list". */
  people: 'People',
  /** One's own tile, role "group". A remote tile carries the member's name. */
  you: 'You',
  yourScreen: 'Your screen',
  yourFilm: 'Your film',
  hear: 'Click to hear',
  rejoin: 'Rejoin',
  more: 'More',
  shortcuts: 'Keyboard shortcuts',
  closePanel: 'Close panel',
  close: 'Close',
  copyCommand: 'Copy command',
  camera: 'Camera',
  microphone: 'Microphone',
  speaker: 'Speaker',
  level: 'Microphone level',
  skip: 'Skip to controls',
  ticker: 'Live ticker',
  game: 'Dots, a game',
} as const;

/** What a tile or a row in the list of people says about its member, as text. */
export const states = {
  muted: 'muted',
  noSound: 'no sound',
  cameraOff: 'camera off',
  reconnecting: 'reconnecting',
  waiting: 'waiting for the picture',
  speaking: 'speaking',
  sharing: 'sharing a screen',
  streaming: 'streaming a file',
} as const;

/** The name of a canvas that shows a member's video. */
export const videoOf = (name: string): string => `Video of ${name}`;

/** The name of a tile, and of the canvas in it, that shows a member's screen. */
export const screenOf = (name: string): string => `Screen of ${name}`;

/** The name of a tile, and of the canvas in it, that shows the picture of a file that a member streams. */
export const filmOf = (name: string): string => `Film of ${name}`;

export const pin = (name: string, pinned: boolean): string => `${pinned ? 'Unpin' : 'Pin'} ${name}`;

export const fullScreen = (name: string): string => `Full screen: ${name}`;

/** The controls of a file in the chat, and its bar. */
export const acceptOf = (file: string): string => `Accept ${file}`;
export const declineOf = (file: string): string => `Decline ${file}`;
export const cancelOf = (file: string): string => `Cancel ${file}`;
export const stopOf = (file: string): string => `Stop offering ${file}`;
export const saveOf = (file: string): string => `Save ${file}`;
export const progressOf = (file: string, person: string): string => (person ? `Progress of ${file} to ${person}` : `Progress of ${file}`);

/** The controls of a recording, by when it was begun. */
export const stillOf = (when: string): string => `A picture of ${when}`;
export const queueOf = (when: string): string => `Play ${when} afterwards`;
export const playOf = (when: string): string => `Play ${when} for everyone`;
export const watchOf = (when: string): string => `Watch ${when}`;
export const downloadOf = (when: string): string => `Download ${when}`;
export const deleteOf = (when: string): string => `Delete ${when}`;
export const reallyDelete = (when: string): string => `Delete ${when} for good`;

/** One who was recorded and is played. */
export const playedName = (name: string): string => `${name} (recorded)`;

export const volumeOf = (name: string): string => `Volume of ${name}`;
