import { setTimeout as pause } from 'node:timers/promises';
import type { Context, Span, SpanKind as SpanKinds } from '@opentelemetry/api';

/** What a span says beside its name: names of things and numbers, never what a person sent. */
export type SpanAttributes = Record<string, string | number>;

interface SpanOptions {
  kind?: keyof typeof SpanKinds;
  attributes?: SpanAttributes;
  /** `traceparent` of the work that asked for this one (W3C Trace Context); null: it begins a trace. */
  parent?: string | null;
}

interface Tracing {
  open(name: string, options: SpanOptions): { span: Span; context: Context };
  run<T>(context: Context, work: () => T): T;
  failed(span: Span, error: unknown): void;
  current(): Span | undefined;
}

/** Longest that the end waits for the collector, in milliseconds. */
const LAST_SPANS_MS = 1_000;

/** Undefined: traces are off, and every function here only calls what it is given. */
let tracing: Tracing | undefined;

/** Whether the standard variables ask for traces: they name a collector, and nothing switches them off. */
export const wantsTraces = (env: Record<string, string | undefined>): boolean =>
  Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) &&
  env.OTEL_SDK_DISABLED?.toLowerCase() !== 'true' &&
  env.OTEL_TRACES_EXPORTER !== 'none';

/**
 * Sends the traces of this process to an OpenTelemetry collector (OTLP over HTTP, JSON). The SDK reads its standard
 * variables itself, among them OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER,
 * OTEL_EXPORTER_OTLP_HEADERS and OTEL_BSP_*; it is not even loaded unless this is called.
 * @param warn is told what the SDK complains of, such as a collector that is away
 * @returns sends what is left, for a second at most, and ends tracing
 */
export async function startTracing(warn: (complaint: string) => void): Promise<() => Promise<void>> {
  const [api, sdk, { OTLPTraceExporter }, { defaultResource, detectResources, envDetector, resourceFromAttributes }] =
    await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ]);
  const ignore = () => undefined;
  const logger = { error: warn, warn, info: ignore, debug: ignore, verbose: ignore };
  api.diag.setLogger(logger, { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true });
  const provider = new sdk.NodeTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'strong-together' }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new sdk.BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  const tracer = provider.getTracer('strong-together');
  tracing = {
    open(name, { kind = 'INTERNAL', attributes = {}, parent }) {
      const carrier = { traceparent: parent ?? '' };
      const above = parent === undefined ? api.context.active() : api.propagation.extract(api.ROOT_CONTEXT, carrier);
      const span = tracer.startSpan(name, { kind: api.SpanKind[kind], attributes }, above);
      return { span, context: api.trace.setSpan(above, span) };
    },
    run: (context, work) => api.context.with(context, work),
    failed: (span, error) => {
      // The text of an error may quote values of a person.
      span.setAttribute('error.type', error instanceof Error ? error.constructor.name : typeof error);
      span.setStatus({ code: api.SpanStatusCode.ERROR });
    },
    current: () => api.trace.getActiveSpan(),
  };
  return async () => {
    tracing = undefined;
    // A collector that is away must not hold up the end.
    await Promise.race([provider.shutdown().catch(ignore), pause(LAST_SPANS_MS, undefined, { ref: false })]);
    api.trace.disable();
    api.context.disable();
    api.propagation.disable();
    api.diag.disable();
  };
}

/** Marks the span as a failure: for work that catches its error. */
type Fail = (error: unknown) => void;

/** Runs the work as a span that ends with it. What it does meanwhile belongs to the span. */
export function traced<T>(name: string, options: SpanOptions, work: (fail: Fail) => Promise<T>): Promise<T> {
  return tracing ? runAsSpan(tracing, name, options, work) : work(ignore);
}

const ignore: Fail = () => undefined;

async function runAsSpan<T>(
  { open, run, failed }: Tracing,
  name: string,
  options: SpanOptions,
  work: (fail: Fail) => Promise<T>,
): Promise<T> {
  const { span, context } = open(name, options);
  const fail: Fail = (error) => failed(span, error);
  try {
    return await run(context, () => work(fail));
  } catch (error) {
    fail(error);
    throw error;
  } finally {
    span.end();
  }
}

/**
 * Opens a span whose name and outcome are known only at its end, such as that of a request, which begins a trace: a
 * `traceparent` that a stranger sends makes nobody record anything.
 * @param enter what happens under the span
 */
export function enterSpan(kind: keyof typeof SpanKinds, enter: () => void) {
  if (!tracing) {
    enter();
    return undefined;
  }
  const { open, run, failed } = tracing;
  const { span, context } = open(kind, { kind, parent: null });
  run(context, enter);
  return {
    traceId: span.spanContext().traceId,
    end: (name: string, attributes: SpanAttributes, hasFailed: boolean) => {
      span.updateName(name).setAttributes(attributes);
      if (hasFailed) failed(span, undefined);
      span.end();
    },
  };
}

/** The present work as a `traceparent` (W3C Trace Context, section 3.2), for whoever goes on with it. Null: none. */
export function traceparent(): string | null {
  const span = tracing?.current()?.spanContext();
  return span ? `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}` : null;
}

/** Id of the trace that the present work belongs to; undefined where there is none. */
export const traceId = (): string | undefined => tracing?.current()?.spanContext().traceId;
