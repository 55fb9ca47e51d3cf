export { inspectTools } from './inspect.ts';
export { installTools } from './install.ts';
export { isReady, type ReadyReport, type Tools, type ToolsReport } from './tools.ts';
export { defaultToolsDir } from './toolsDir.ts';
