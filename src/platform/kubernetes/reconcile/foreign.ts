import { RefusedError } from '../../../lib/errors.ts';
import type { LiveObject } from '../api/kinds.ts';

/** The servers of this name belong to somebody else, perhaps to another operator: two on one cluster would break it. */
export class ForeignObjectError extends RefusedError {
  constructor(object: LiveObject) {
    const { name, namespace, ownerReferences } = object.metadata;
    const owner = ownerReferences?.find(reference => reference.controller === true);
    super({
      code: 'foreign-object',
      message: `${object.kind} ${namespace}/${name} exists and is not made by this manifest`,
      detail: owner === undefined ? 'it has no owner' : `it belongs to ${owner.kind} ${owner.name}`,
      hint: 'stop the other operator and delete the StatefulSet, or choose another name; nothing was touched',
    });
  }
}
