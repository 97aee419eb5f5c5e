import fc from "fast-check";

const some = <Value>(...values: Value[]) => fc.constantFrom(...values);

/** Conditions that the text alone decides, for a request of TynTec's over plain http. */
const term = some(
  "{ path / }",
  "{ path /incoming }",
  "{ path -i /DELIVERY /x }",
  "{ path_beg /in /out }",
  "{ path_beg -i /DEL }",
  "{ path -m beg / }",
  "{ path_end ing }",
  "{ path_sub live }",
  "{ path_dir delivery }",
  "{ path_dir incom }",
  "{ path_reg ^/(incoming|x)$ }",
  "{ path_reg -i DELIVERY }",
  "{ path,lower /incoming }",
  "{ ssl_fc }",
  "{ always_true }",
  "TRUE",
  "FALSE",
  "ours",
  "api",
);
const negation = some("", "", "!", "! ");
const alternative = fc
  .array(fc.tuple(negation, term), { minLength: 1, maxLength: 3 })
  .map((terms) => terms.map(([not, each]) => not + each).join(" "));
const condition = fc
  .tuple(some("if", "if", "unless"), fc.array(alternative, { minLength: 1, maxLength: 2 }), some(" or ", " || "))
  .map(([word, alternatives, or]) => ` ${word} ${alternatives.join(or)}`);

const action = some(
  "redirect location /elsewhere",
  "redirect prefix https://portal.acme.example code 301",
  "http-request redirect location /elsewhere",
  "http-request deny",
  "http-request deny deny_status 429",
  "http-request return status 204",
  "http-request auth realm Portal",
  "http-request allow",
  "http-request set-header X-Seen yes",
  "http-request set-path /elsewhere",
  "http-request set-path /DELIVERY?x=1",
  "http-request replace-path ^/elsewhere$ /incoming",
  "http-request replace-path /in(.*) /de\\1/\\0",
  "http-request replace-path (.*)y \\1y",
  "tcp-request connection accept",
  "tcp-request connection reject",
  "tcp-request session accept",
  "tcp-request content accept",
  "tcp-request content reject",
  "use_backend web",
);
const rule = fc.tuple(action, fc.option(condition, { freq: 8 })).map(([each, when]) => each + (when ?? ""));
const other = some(
  "monitor-uri /incoming",
  "monitor-uri /alive",
  "stats uri /haproxy?stats",
  "stats uri /deliv",
  "option forwardfor",
);

/** The lines of a portal's frontend that run before ours, or behind: most let some of TynTec's requests pass. */
export const portalRules: fc.Arbitrary<string[]> = fc
  .tuple(fc.array(rule, { maxLength: 4 }), fc.option(other, { freq: 2 }))
  .map(([rules, more]) => [
    "acl api path_beg /api /in",
    "acl ours path /incoming",
    "acl ours path /delivery",
    ...(more ? [more] : []),
    ...rules,
  ]);
