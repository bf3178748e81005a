export { detect, detect as report } from './detect';
export { CgroupError } from './errors';
export { Group } from './group';
export { janitor } from './janitor';
export { forgetPlaces } from './place';
