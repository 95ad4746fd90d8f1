export type Command = 'mic' | 'camera' | 'chat' | 'help' | 'escape';

/** The keys, as the help dialog lists them. */
export const keys: readonly { key: string; command: Command; text: string }[] = [
  { key: 'm', command: 'mic', text: 'Microphone on or off' },
  { key: 'v', command: 'camera', text: 'Camera on or off' },
  { key: 'c', command: 'chat', text: 'Open or close the chat' },
  { key: '?', command: 'help', text: 'This list' },
  { key: 'Escape', command: 'escape', text: 'Close the panel' },
];

interface Key {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  repeat: boolean;
  defaultPrevented: boolean;
}

/** Where the key was pressed: enough of an element to tell whether text goes in there. */
interface Target {
  tagName?: string;
  isContentEditable?: boolean;
  type?: string;
}

/** Whether keys pressed here are text or belong to the control. */
export function isTyping(target: Target | null): boolean {
  if (!target) return false;
  if (target.isContentEditable) return true;
  const tag = target.tagName?.toLowerCase();
  return tag === 'textarea' || tag === 'select' || (tag === 'input' && target.type !== 'checkbox' && target.type !== 'range');
}

/** The command of a key, unless it belongs to someone else: a text field, an open dialog, the browser. */
export function commandOf(event: Key, target: Target | null, dialogOpen: boolean): Command | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented || dialogOpen) return undefined;
  const command = keys.find(({ key }) => key.toLowerCase() === event.key.toLowerCase())?.command;
  return command !== 'escape' && isTyping(target) ? undefined : command;
}
