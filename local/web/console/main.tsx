import { showPage } from '../shared/page.tsx';

showPage(<h1>Executions</h1>);
