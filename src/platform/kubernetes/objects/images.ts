import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { PgherdError } from '../../../lib/errors.ts';
import type { OperatorConfig } from '../config.ts';

/** The manifest asks for what this operator cannot make; the cluster stays as it is. */
export class InvalidSpecError extends PgherdError {
  /** Field of the manifest. */
  readonly path: string;

  constructor(path: string, facts: { code: string; message: string; hint: string }) {
    super(facts);
    this.path = path;
  }
}

/** Image of the database pods. Throws InvalidSpecError when there is none for the version. */
export function imageOf(spec: ClusterSpec, config: OperatorConfig): string {
  const image = spec.kubernetes.image ?? config.images[spec.version];
  if (image !== undefined) return image;
  const known = Object.keys(config.images).sort((a, b) => Number(a) - Number(b));
  throw new InvalidSpecError('spec.postgresql.version', {
    code: 'version-without-image',
    message: `there is no image for PostgreSQL ${spec.version}`,
    hint:
      known.length === 0
        ? 'the configuration of the operator lists no images: add them below `images`'
        : `write one of ${known.join(', ')}, or add an image to the configuration of the operator`,
  });
}

/**
 * Image of the repository host: rather the operator's own than the manifest's. One that does not start stops the roll of
 * the members at the first; it must not take the archive from those that still run. Throws as imageOf.
 */
export function repositoryImageOf(spec: ClusterSpec, config: OperatorConfig): string {
  return config.images[spec.version] ?? imageOf(spec, config);
}

/** Image of the poolers. Throws InvalidSpecError when there is none. */
export function poolerImageOf(spec: ClusterSpec, config: OperatorConfig): string {
  const image = spec.kubernetes.poolerImage ?? config.poolerImage;
  if (image !== undefined) return image;
  throw new InvalidSpecError('spec.enableConnectionPooler', {
    code: 'pooler-without-image',
    message: 'the operator has no image for connection poolers',
    hint: 'set `poolerImage` in the configuration of the operator, or connectionPooler.dockerImage',
  });
}
