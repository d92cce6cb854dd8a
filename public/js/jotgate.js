import { addCopyButtons } from './copy.js';
import { showTimes } from './times.js';

addCopyButtons(document);
showTimes(document);
