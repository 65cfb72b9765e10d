import { codeBlock } from "./markdown.js";

/** Shows how the exported folder is used in timm and in Lyceum. */
export function usage({ folder, channels }: { folder: string; channels: number }): string {
  const mode = channels === 1 ? "L" : "RGB";
  return `## How to use

In [timm](https://github.com/huggingface/pytorch-image-models) (1.0 or newer), from a local folder; once the folder is on the Hub,
\`hf-hub:OWNER/NAME\` takes the place of \`local-dir:…\`:

${codeBlock(
  "python",
  `import timm
from PIL import Image

model = timm.create_model(${JSON.stringify(`local-dir:${folder}`)}, pretrained=True).eval()
config = timm.data.resolve_model_data_config(model)
transform = timm.data.create_transform(**config, is_training=False)
image = transform(Image.open("photo.jpg").convert("${mode}")).unsqueeze(0)
scores = model(image).softmax(1)[0]
for score, index in zip(*(each.tolist() for each in scores.topk(min(5, len(scores))))):
    print(f"{model.pretrained_cfg['label_names'][index]}: {score:.3f}")`,
)}

In [Lyceum](https://www.npmjs.com/package/lyceum):

${codeBlock(
  "sh",
  `npx lyceum weights convert ${shellQuoted(`${folder}/model.safetensors`)} model.safetensors
npx lyceum predict model.safetensors photo.jpg`,
)}
`;
}

function shellQuoted(text: string): string {
  return /^[\w./+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
