export { type InspectOptions, inspectTools } from './inspect.ts';
export { type InstallOptions, installTools } from './install.ts';
export {
  isReady,
  type MissingTool,
  type Program,
  type ReadyReport,
  type Tools,
  type ToolsReport,
} from './tools.ts';
export { defaultToolsDir } from './toolsDir.ts';
