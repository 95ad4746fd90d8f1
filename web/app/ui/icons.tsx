import type { ComponentChildren } from 'preact';

// Drawn for Landline on a 24 grid with a 1.75 line. Icons say nothing to screen readers; the control around them does.

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

const slash = <path d="M4 4l16 16" />;

export const Mic = () => (
  <Icon>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
  </Icon>
);

export const MicOff = () => (
  <Icon>
    <path d="M9 9v2a3 3 0 0 0 4.9 2.3M15 10.5V6a3 3 0 0 0-5.8-1.1" />
    <path d="M5.5 11.5A6.5 6.5 0 0 0 16 16.6M18.2 13.4c.2-.6.3-1.2.3-1.9M12 18v3" />
    {slash}
  </Icon>
);

export const Camera = () => (
  <Icon>
    <rect x="3" y="6.5" width="12.5" height="11" rx="2.5" />
    <path d="M15.5 10.8l4.3-2.7a.8.8 0 0 1 1.2.7v6.4a.8.8 0 0 1-1.2.7l-4.3-2.7" />
  </Icon>
);

export const CameraOff = () => (
  <Icon>
    <path d="M10 6.5h3a2.5 2.5 0 0 1 2.5 2.5v1.8l4.3-2.7a.8.8 0 0 1 1.2.7v6.4c0 .4-.3.7-.6.8" />
    <path d="M15.5 15.5a2.5 2.5 0 0 1-2.5 2H5.5A2.5 2.5 0 0 1 3 15V9a2.5 2.5 0 0 1 2.5-2.5h1" />
    {slash}
  </Icon>
);

export const Screen = () => (
  <Icon>
    <rect x="3" y="4.5" width="18" height="12.5" rx="2" />
    <path d="M9 20.5h6M12 13.5V8M9.5 10.3L12 7.8l2.5 2.5" />
  </Icon>
);

export const ScreenOff = () => (
  <Icon>
    <rect x="3" y="4.5" width="18" height="12.5" rx="2" />
    <path d="M9 20.5h6M10 8.7l4 4M14 8.7l-4 4" />
  </Icon>
);

export const Record = () => (
  <Icon>
    <circle cx="12" cy="12" r="8.5" />
    <circle cx="12" cy="12" r="4" fill="currentColor" />
  </Icon>
);

export const Films = () => (
  <Icon>
    <rect x="3" y="5" width="18" height="14" rx="2.5" />
    <path d="M7.5 5v14M16.5 5v14M3 9.7h4.5M3 14.3h4.5M16.5 9.7H21M16.5 14.3H21" />
  </Icon>
);

export const Play = () => (
  <Icon>
    <path d="M7.5 5.3v13.4c0 .7.8 1.1 1.4.7l10-6.7a.9.9 0 0 0 0-1.4l-10-6.7a.9.9 0 0 0-1.4.7z" />
  </Icon>
);

export const Watch = () => (
  <Icon>
    <path d="M2.8 12S6 5.8 12 5.8 21.2 12 21.2 12 18 18.2 12 18.2 2.8 12 2.8 12z" />
    <circle cx="12" cy="12" r="2.8" />
  </Icon>
);

export const Pause = () => (
  <Icon>
    <rect x="6" y="5" width="4" height="14" rx="1.2" />
    <rect x="14" y="5" width="4" height="14" rx="1.2" />
  </Icon>
);

export const Repeat = () => (
  <Icon>
    <path d="M4.5 12V9.5a3 3 0 0 1 3-3h11M15.5 3.5l3 3-3 3M19.5 12v2.5a3 3 0 0 1-3 3h-11M8.5 20.5l-3-3 3-3" />
  </Icon>
);

export const Next = () => (
  <Icon>
    <path d="M6 5.5v13l9-6.5zM18 5.5v13" />
  </Icon>
);

export const Queue = () => (
  <Icon>
    <path d="M4 6.5h12M4 11.5h12M4 16.5h7M17.5 14v6M14.5 17h6" />
  </Icon>
);

export const Bin = () => (
  <Icon>
    <path d="M4.5 7h15M9.5 7V5.2c0-.7.5-1.2 1.2-1.2h2.6c.7 0 1.2.5 1.2 1.2V7M6.5 7l.8 11.4c.1.9.8 1.6 1.7 1.6h6c.9 0 1.6-.7 1.7-1.6L17.5 7M10.3 10.8v5.4M13.7 10.8v5.4" />
  </Icon>
);

export const Chat = () => (
  <Icon>
    <path d="M20.5 11.5a7.5 7 0 0 1-7.5 7 8.5 8.5 0 0 1-2.7-.4L5 20l1.3-3.8a6.6 6.6 0 0 1-1.8-4.7 7.5 7 0 0 1 7.5-7h1a7.5 7 0 0 1 7.5 7z" />
    <path d="M9.5 10h6M9.5 13h4" />
  </Icon>
);

export const Clip = () => (
  <Icon>
    <path d="M19.5 11.5l-7.4 7.4a4.6 4.6 0 0 1-6.5-6.5l7.9-7.9a3 3 0 0 1 4.3 4.3l-7.8 7.8a1.5 1.5 0 0 1-2.1-2.1l7-7" />
  </Icon>
);

export const Paper = () => (
  <Icon>
    <path d="M13.5 3.5H8a2 2 0 0 0-2 2v13a2 2 0 0 0 2 2h8a2 2 0 0 0 2-2V8z" />
    <path d="M13.5 3.5V8H18" />
  </Icon>
);

export const Download = () => (
  <Icon>
    <path d="M12 4v10.5M7.5 10.5L12 15l4.5-4.5M5 19.5h14" />
  </Icon>
);

export const People = () => (
  <Icon>
    <circle cx="9" cy="8.5" r="3.5" />
    <path d="M2.8 19.5a6.2 6.2 0 0 1 12.4 0M15.5 5.3a3.5 3.5 0 0 1 0 6.4M17.8 14.3a6.2 6.2 0 0 1 3.4 5.2" />
  </Icon>
);

export const Signal = () => (
  <Icon>
    <path d="M5 19v-3.5M9.7 19v-6.5M14.3 19V9M19 19V5" />
  </Icon>
);

export const Gear = () => (
  <Icon>
    <path d="M4 7.5h8.5M17.5 7.5H20M4 16.5h2.5M11.5 16.5H20" />
    <circle cx="15" cy="7.5" r="2.5" />
    <circle cx="9" cy="16.5" r="2.5" />
  </Icon>
);

export const Link = () => (
  <Icon>
    <path d="M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7l-1.3 1.3" />
    <path d="M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1.3-1.3" />
  </Icon>
);

export const HangUp = () => (
  <Icon>
    <path
      fill="currentColor"
      d="M12 9c-3.6 0-6.5.9-8.6 2.5-.9.7-1.2 1.8-1 2.9l.3 1.5c.1.7.8 1.1 1.5.9l3.2-.9c.6-.2 1-.7 1-1.3v-1.8a12.5 12.5 0 0 1 7.2 0v1.8c0 .6.4 1.1 1 1.3l3.2.9c.7.2 1.4-.2 1.5-.9l.3-1.5c.2-1.1-.1-2.2-1-2.9C18.5 9.9 15.6 9 12 9z"
    />
  </Icon>
);

export const More = () => (
  <Icon>
    <path stroke-width="2.8" d="M5.5 12h.01M12 12h.01M18.5 12h.01" />
  </Icon>
);

export const Close = () => (
  <Icon>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
);

export const Pin = () => (
  <Icon>
    <path d="M9 4h6l-.8 6 2.8 3.2V15H7v-1.8L9.8 10zM12 15v5.5" />
  </Icon>
);

export const Expand = () => (
  <Icon>
    <path d="M4.5 9V4.5H9M15 4.5h4.5V9M19.5 15v4.5H15M9 19.5H4.5V15" />
  </Icon>
);

export const Send = () => (
  <Icon>
    <path d="M4.5 5l15.5 7-15.5 7 2-7zM6.5 12H13" />
  </Icon>
);

export const Sound = () => (
  <Icon>
    <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11" />
  </Icon>
);

export const SoundOff = () => (
  <Icon>
    <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5" />
  </Icon>
);

/** A file with a triangle in it. */
export const Film = () => (
  <Icon>
    <path d="M13.5 3.5H8a2 2 0 0 0-2 2v13a2 2 0 0 0 2 2h8a2 2 0 0 0 2-2V8zM13.5 3.5V8H18" />
    <path d="M10.3 11.7v4.6l3.9-2.3z" />
  </Icon>
);

export const Warning = () => (
  <Icon>
    <path d="M12 4.2L2.8 19.5h18.4zM12 10v4.5M12 17.2h.01" />
  </Icon>
);

export const Refresh = () => (
  <Icon>
    <path d="M19.5 12a7.5 7.5 0 1 1-2.3-5.4L19.5 9M19.5 4.5V9H15" />
  </Icon>
);

/** The mark: two ends and the line between them. */
export const Mark = () => (
  <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="9" fill="var(--accent)" />
    <g fill="none" stroke="var(--on-accent)" stroke-width="2.4" stroke-linecap="round">
      <circle cx="8.5" cy="16" r="2.6" fill="var(--on-accent)" stroke="none" />
      <circle cx="23.5" cy="16" r="2.6" fill="var(--on-accent)" stroke="none" />
      <path d="M8.5 16c2.5-8 5-8 7.5 0s5 8 7.5 0" />
    </g>
  </svg>
);
