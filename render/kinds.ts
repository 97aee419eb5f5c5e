/**
 * The fields of a document's sections, by kind. Made from what the host tool declares: `npm run kinds`.
 *
 * A one-line field is a string, a block a list of lines or a text that ends with a newline. The tool refuses anything
 * else.
 */
export interface Kinds {
  resources: {
    memory?: string | undefined;
    disk?: string | undefined;
    cores?: string | undefined;
    additional?: string | undefined;
    system?: string | undefined;
    accept?: string[] | undefined;
  };
  packages: {
    undo?: string | undefined;
    java?: string | undefined;
    source?: string | undefined;
  };
  tool: {
    version: string;
    digest: string;
  };
  files: {
    content?: string | undefined;
    from?: string | undefined;
    mount?: string | undefined;
    link?: string | undefined;
    digest?: string | undefined;
    check?: string | undefined;
    jars?: string[] | undefined;
    "content-3"?: string | undefined;
    "content-5"?: string | undefined;
    "loaded-by"?: string | undefined;
  };
  database: {
    port: string;
  };
  release: {
    from: string;
    mount?: string | undefined;
    release: string;
    "loaded-by"?: string | undefined;
  };
  haproxy: {
    sections: string;
    portal?: string | undefined;
    rules?: string[] | undefined;
    certificate?: string | undefined;
    public?: string | undefined;
    "portal-name"?: string | undefined;
    redundant?: string | undefined;
  };
  unit: {
    from: string;
    offered?: string | undefined;
    release?: string | undefined;
    argument: string;
    "argument-file"?: string | undefined;
    "environment-file"?: string | undefined;
    data: string;
    mount?: string | undefined;
    accept?: string[] | undefined;
    limits?: string[] | undefined;
  };
  secret: {
    content: string;
    host?: string | undefined;
    port?: string | undefined;
    user?: string | undefined;
    database?: string | undefined;
    drivers?: string[] | undefined;
    "loaded-by"?: string | undefined;
  };
  firewall: {
    rules?: string[] | undefined;
    members?: string | undefined;
    enable?: string | undefined;
  };
  service: {
    loads?: string[] | undefined;
    healthy: string;
    within: string;
    restart?: string | undefined;
    cluster?: string | undefined;
    "cluster-within"?: string | undefined;
    "cluster-hosts"?: string[] | undefined;
  };
  drain: {
    port: string;
    sessions: string;
    deadline: string;
    idle: string;
    "at-deadline": string;
    settle: string;
    restart?: string | undefined;
    "load-balancers"?: string[] | undefined;
    "chat-servers"?: string[] | undefined;
  };
}
