import { render } from 'preact';
import { App } from './app';
import { claimToken } from './route';
import { Visit } from './visit';
import './styles/base.css';
import './styles/forms.css';
import './styles/start.css';
import './styles/call.css';
import './styles/tiles.css';
import './styles/panels.css';
import './styles/recordings.css';
import './styles/files.css';

claimToken(window);
render(<App visit={new Visit()} />, document.getElementById('app')!);
