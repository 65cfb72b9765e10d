/**
 * How torchvision normalises images for its networks, and with it most files of weights: the mean and the deviation of
 * ImageNet's red, green and blue, as fractions of 255.
 */
export const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
