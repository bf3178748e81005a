/** misc on v1: the same file as on v2. */
export { translateMisc } from '../v2/misc';
