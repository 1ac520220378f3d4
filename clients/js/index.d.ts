/** One answer; `score` is a probability. */
export interface Label {
  label: string;
  score: number;
}

/** The answers to one text, by task; scores descend. */
export type Prediction = Record<string, Label[]>;

/** A task of bundle.json. */
export interface Task {
  name: string;
  /** `single`: exactly one label. `multi`: any number of labels. */
  kind: 'single' | 'multi';
  labels: string[];
  control_id: number;
  temperature: number;
  /** `multi` only: probabilities from which a label is an answer. */
  thresholds: number[] | null;
}

export interface LoadOptions {
  /** Browsers only: the module of onnxruntime-web; default: what `onnxruntime-web/wasm` is. */
  runtime?: unknown;
}

export interface PredictOptions {
  /** The tasks to answer, in the order of the answers; default: all. */
  tasks?: readonly string[];
  /** Labels of each single-label task; default: 1. */
  topK?: number;
  /** By task, the score below which a label is left out. */
  minScore?: Readonly<Record<string, number>>;
}

export interface Detailed {
  predictions: Prediction[];
  /** Ascending indices of the texts that were cut to the bundle's `max_tokens`. */
  truncated: number[];
  /** Tokens of all texts as they were run, without control tokens and padding. */
  tokens: number;
}

/** What was loaded is not a usable bundle; the message names every file that is wrong. */
export class BundleError extends Error {}

/** Answers a bundle's tasks. */
export class Classifier {
  private constructor();

  /**
   * Verify and load a bundle: in Node a folder, or a file: or http(s): address; in a browser an
   * address. Rejects with a BundleError.
   */
  static load(location: string | URL, options?: LoadOptions): Promise<Classifier>;

  /** Name and digest, as in "ingredients@76bc6b687ca8". */
  readonly identity: string;
  readonly tasks: readonly Task[];

  /**
   * The answers to each text. Rejects with a TypeError what is no list of strings or no option,
   * with a RangeError a task that the bundle does not know and a `topK` below 1.
   */
  predict(texts: readonly string[], options?: PredictOptions): Promise<Prediction[]>;

  /** As `predict`, and which texts were cut and how many tokens were run. */
  predictDetailed(texts: readonly string[], options?: PredictOptions): Promise<Detailed>;

  /** Free the memory of the graph; the classifier answers no more. */
  release(): Promise<void>;
}
