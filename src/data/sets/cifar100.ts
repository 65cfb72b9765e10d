import { cifarSet } from "./cifar-set.js";

/** The set of Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images"; 20 families of 5 classes. */
export const cifar100 = cifarSet({
  name: "cifar100",
  summary: "photos, 100 classes in 20 families, 50,000 + 10,000 colour images of 32 x 32",
  hub: "uoft-cs/cifar100",
  levels: [
    {
      file: "coarse_label_names.txt",
      names: `aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices
          household_furniture insects large_carnivores large_man-made_outdoor_things
          large_natural_outdoor_scenes large_omnivores_and_herbivores medium_mammals
          non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2`.split(/\s+/),
    },
    {
      file: "fine_label_names.txt",
      names: `apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
          camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile
          cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp
          lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree
          orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum
          rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
          squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train
          trout tulip turtle wardrobe whale willow_tree wolf woman worm`.split(/\s+/),
    },
  ],
  trainFiles: [{ name: "train.bin", count: 50_000, md5: "6172c7755cfe09b2fe270c85cebc1b15" }],
  testFile: { name: "test.bin", count: 10_000, md5: "4499cfba6c016c1be1438163640a0898" },
  folder: "cifar-100-binary",
  baseUrl: "https://www.cs.toronto.edu/~kriz/",
  archive: {
    name: "cifar-100-binary.tar.gz",
    bytes: 168_513_733,
    md5: "03b5dce01913d631647c71ecec9e9cb8",
  },
});
