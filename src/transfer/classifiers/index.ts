/** The classifiers by which features are judged. A new one is a file, and a line in the list below. */
import type { Classifier } from "./define.js";
import { knn } from "./knn.js";
import { logistic } from "./logistic.js";
import { svm } from "./svm.js";

export { type Classifier, defineClassifier, type FitOptions, type Fitted } from "./define.js";
export { neighbours } from "./knn.js";

export const classifiers = [svm, logistic, knn] as const satisfies readonly Classifier[];

export type ClassifierName = (typeof classifiers)[number]["name"];
