export { inspectTools } from './inspect.ts';
export { installTools } from './install.ts';
export {
  type IsolationPrograms,
  isolationPrograms,
  isReady,
  type ReadyReport,
  type Tools,
  type ToolsReport,
} from './tools.ts';
export { defaultToolsDir } from './toolsDir.ts';
