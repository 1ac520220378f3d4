// The calls on standard input, answered by the package for Node.
import { text } from 'node:stream/consumers';
import { Classifier } from '../../clients/js/node.js';
import { answersTo } from './calls.js';

const calls = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(await answersTo(Classifier, calls)));
