/** Typed requests to the node: paths, queries and answers are those of the OpenAPI document. */
import { takeEarly } from "./early";
import { Refused, Unreachable } from "./errors";
import type { paths } from "./schema";

type Method = "get" | "post" | "delete";
type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never;
}[keyof paths];
type Operation<P extends keyof paths, M extends Method> = paths[P][M];
type PathParameters<O> = O extends { parameters: { path: infer T } } ? T : undefined;
type QueryParameters<O> = O extends { parameters: { query?: infer T } } ? T : undefined;
type RequestBody<O> = O extends { requestBody: { content: { "application/json": infer T } } } ? T : undefined;
type Envelope<O> = O extends { responses: { 200: { content: { "application/json": infer T } } } } ? T : never;

/** What an answer holds when there is no error. */
export type Data<P extends keyof paths, M extends Method> =
  Envelope<Operation<P, M>> extends { data: infer T } ? NonNullable<T> : never;

interface Options<O> {
  path?: PathParameters<O>;
  query?: QueryParameters<O>;
  body?: RequestBody<O>;
  signal?: AbortSignal | undefined;
}

let bearer: string | undefined;

/** The session token that goes with every request from now on. */
export function setBearer(token: string | undefined): void {
  bearer = token;
}

export function bearerToken(): string | undefined {
  return bearer;
}

export function get<P extends PathsWith<"get">>(
  path: P,
  options: Options<Operation<P, "get">> = {},
): Promise<Data<P, "get">> {
  return request("get", path, options);
}

export function post<P extends PathsWith<"post">>(
  path: P,
  options: Options<Operation<P, "post">> = {},
): Promise<Data<P, "post">> {
  return request("post", path, options);
}

export function remove<P extends PathsWith<"delete">>(
  path: P,
  options: Options<Operation<P, "delete">> = {},
): Promise<Data<P, "delete">> {
  return request("delete", path, options);
}

async function request<P extends keyof paths, M extends Method>(
  method: M,
  path: P,
  options: Options<Operation<P, M>>,
): Promise<Data<P, M>> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (bearer !== undefined) headers.authorization = `Bearer ${bearer}`;
  if (options.body !== undefined) headers["content-type"] = "application/json";
  const init: RequestInit = { method: method.toUpperCase(), headers };
  if (options.body !== undefined) init.body = JSON.stringify(options.body);
  if (options.signal !== undefined) init.signal = options.signal;
  const url = makeUrl(path, options.path, options.query);
  const early = method === "get" && bearer === undefined ? takeEarly(url) : undefined;
  const response = await explainFailure(early ?? fetch(url, init));
  return (await readAnswer(response)) as Data<P, M>;
}

async function explainFailure(answer: Promise<Response>): Promise<Response> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable({ cause: error });
  }
}

/** The data of an answer. Throws `Refused`, or `Unreachable` for what no node says (a proxy's error page). */
export async function readAnswer(response: Response): Promise<unknown> {
  let envelope: { data?: unknown; error?: ConstructorParameters<typeof Refused>[0] | null };
  try {
    envelope = await response.json();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable({ cause: error });
  }
  if (envelope.error) throw new Refused(envelope.error, response.status);
  return envelope.data;
}

export function makeUrl(path: string, parameters?: object, query?: object): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = (parameters as Record<string, string | number> | undefined)?.[name];
    if (value === undefined) throw new Error(`${path} needs ${name}`);
    return encodeURIComponent(String(value));
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null) search.set(name, String(value));
  }
  return search.size === 0 ? filled : `${filled}?${search}`;
}
