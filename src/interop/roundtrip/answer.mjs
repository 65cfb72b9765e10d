/**
 * What roundtrip.py asks of Lyceum: the names of its networks, and the logits of one with the weights of a file.
 *
 *     node answer.mjs --list
 *     node answer.mjs MODEL WEIGHTS IMAGES OUT
 *
 * IMAGES is a file with a tensor `images`, [N, 3, H, W] and normalised; OUT a safetensors file that gets `logits` and, of the
 * network with its batch norms folded, `folded`, each [N, 1000].
 */
import { interop, models, nn, torch } from "../../../dist/index.js";

const [name, weights, images, out] = process.argv.slice(2);

async function tensorsOf(path) {
  const file = await interop.readWeightsFile(path);
  interop.nameAsTorchvision(file);
  return file.tensors;
}

if (name === "--list") console.log(models.modelNames.join("\n"));
else {
  const model = nn.withoutInitialisation(() =>
    models.createModel(name, { classes: 1000, channels: 3, generator: new torch.Generator(0) }),
  );
  model.to({ memoryFormat: "channelsLast" }).loadStateDict(await tensorsOf(weights));
  const batch = (await tensorsOf(images)).images.contiguous("channelsLast");
  const answer = () => torch.noGrad(() => model.forward(batch));
  model.eval();
  const logits = answer();
  nn.foldBatchNorm(model, { example: batch });
  torch.saveSafetensors(out, { logits, folded: answer() });
}
