/** How a hand edit is kept instead of being taken back, by the step that it was found in. */
const ways: Record<string, string> = {
  haproxy:
    "lines outside the marked blocks are the customer's and stay. What is inside comes from jtel-chat:haproxy in the stack file",
  firewall: "a rule of somebody else's stays. Chat's own come from jtel-chat:firewall in the stack file",
  messenger: "settings of the service belong into jtel-chat:clientMessenger.unit in the stack file",
  hazelcast: "edit the cluster's own file on the share, which is followed; or jtel-chat:hazelcast in the stack file",
  java: "choose the package with jtel-chat:java in the stack file",
  "messenger-secret":
    "set the new password in the stack: pulumi config set --secret --path jtel-chat:database.password",
};

/** What a person does who wants to keep what was changed by hand in this step; undefined where nothing can be kept. */
export const wayToKeep = (step: string): string | undefined => ways[step];
