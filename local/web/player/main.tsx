import { showPage } from '../shared/page.tsx';

showPage(<h1>Player</h1>);
