/** For `npm run test:asan`: every sandbox of this test file starts from the sanitized launcher. */
import fs from 'node:fs';
import { useLauncherProgram } from '../../lib/launcher';

useLauncherProgram(fs.readFileSync(process.env.LINUX_ISOLATE_HOSTED_LAUNCHER as string));
