// The chat window of a visitor. /gui/?role=agent shows the other side: all chats, with a field for the one to answer.
const element = (id) => document.getElementById(id);
const parameters = new URLSearchParams(location.search);
const role = parameters.get("role") === "agent" ? "agent" : "visitor";
const name = parameters.get("name") ?? (role === "agent" ? "Agent" : "Visitor");
let chat = role === "agent" ? "*" : (parameters.get("chat") ?? sessionStorage.getItem("chat") ?? "");
let socket;
let retryAfter = 1000;

const show = ({ from, role: sender, text, attachment, chat: id, server, status }) => {
  const item = document.createElement("li");
  item.className = sender === role ? "mine" : "theirs";
  const label = document.createElement("small");
  label.textContent = [from, role === "agent" ? id : "", `via ${server}`].filter(Boolean).join(" · ");
  item.append(label, status ?? (attachment ? "📎 attachment" : text));
  element("messages").append(item);
  item.scrollIntoView();
};

const receive = (event) => {
  const frame = JSON.parse(event.data);
  if (frame.type === "welcome") {
    chat = frame.chat;
    if (role === "visitor") sessionStorage.setItem("chat", chat);
    element("state").textContent = `connected to ${frame.server}, ${frame.members} in the cluster`;
    retryAfter = 1000;
  } else if (frame.type === "error") {
    element("state").textContent = frame.text;
  } else {
    show(frame);
    if (role === "agent" && frame.role === "visitor") element("chat").value = frame.chat;
  }
};

const setConnected = (connected) => {
  element("form").querySelector("button").disabled = !connected;
};

const connect = () => {
  const address = new URL("..", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  address.search = new URLSearchParams({ role, name, chat }).toString();
  socket = new WebSocket(address);
  socket.onopen = () => setConnected(true);
  socket.onmessage = receive;
  socket.onclose = ({ reason }) => {
    setConnected(false);
    element("state").textContent = `disconnected${reason ? ` (${reason})` : ""}, connecting again …`;
    setTimeout(connect, retryAfter);
    retryAfter = Math.min(retryAfter * 2, 30_000);
  };
};

element("form").onsubmit = (event) => {
  event.preventDefault();
  const text = element("text").value.trim();
  if (!text || socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify(role === "agent" ? { chat: element("chat").value, text } : { text }));
  element("text").value = "";
};

if (role === "agent") {
  element("title").textContent = "Agent: all chats";
  element("chat").hidden = false;
}
setConnected(false);
connect();
