"""A training loop as research code usually has it: images through PIL one by one in a `DataLoader` with worker
processes, torch's plain memory layout, numbers read at every step, SAM with a copy of each weight.

The networks are the library's, so that a comparison is one of loops.
"""

import warnings

import torch
import torch.nn.functional as F
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from fmfp_lib.precision import computing_in

WORKERS = 4
warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)  # more than cores, as is usual


class Images(Dataset):
    """Images (n, c, h, w) uint8, each cropped, mirrored and normalised when it is asked for."""

    def __init__(self, x, y, mean, std):
        self.images = [Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)) for image in x]
        self.labels = y
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(x.shape[2], padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(mean, std),
            ]
        )

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.transform(self.images[index]), int(self.labels[index])


class CloningSAM:
    """SAM, weight by weight."""

    def __init__(self, parameters, rho, **options):
        self.parameters, self.rho = list(parameters), rho
        self.optimizer, self.old = torch.optim.SGD(self.parameters, **options), {}

    @torch.no_grad()
    def first_step(self):
        norm = torch.norm(torch.stack([p.grad.norm(p=2) for p in self.parameters if p.grad is not None]), p=2)
        for p in self.parameters:
            if p.grad is not None:
                self.old[p] = p.data.clone()
                p.add_(p.grad * (self.rho / (norm + 1e-12)))
        self.optimizer.zero_grad()

    @torch.no_grad()
    def second_step(self):
        for p, old in self.old.items():
            p.data = old
        self.optimizer.step()
        self.optimizer.zero_grad()


class Plain:
    """One run; `epoch` trains through the images once and returns mean loss and accuracy."""

    def __init__(self, model, data, sam: bool, device: str = "cpu", batch_size: int = 128, precision="float32"):
        self.model, self.device, self.sam, self.precision = model.to(device), device, None, precision
        images = Images(data.x_train, data.y_train, data.mean.tolist(), data.std.tolist())
        self.loader = DataLoader(images, batch_size, shuffle=True, num_workers=WORKERS, pin_memory=device == "cuda")
        options = dict(lr=0.1, momentum=0.9, weight_decay=5e-4)
        if sam:
            self.sam = CloningSAM(model.parameters(), 0.05, **options)
        else:
            self.optimizer = torch.optim.SGD(model.parameters(), **options)

    def epoch(self):
        with computing_in(self.precision, self.device):
            return self._epoch()

    def _epoch(self):
        self.model.train()
        total = correct = 0
        for x, y in self.loader:
            x, y = x.to(self.device), y.to(self.device)
            logits = self.model(x)
            loss = F.cross_entropy(logits, y)
            if self.sam:
                loss.backward()
                self.sam.first_step()
                F.cross_entropy(self.model(x), y).backward()
                self.sam.second_step()
            else:
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
            total += loss.item() * len(y)
            correct += (logits.argmax(1) == y).sum().item()
        return total / len(self.loader.dataset), correct / len(self.loader.dataset)
